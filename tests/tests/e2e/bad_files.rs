//! Files that are not modules. `module push` refuses them with exit code 65 and the fix.

use std::fs;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, guest, guest_path};

use super::Test;

const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The start of what `wasmtime compile` writes, which is an ELF file.
const PRECOMPILED: &[u8] = b"\x7fELF\x02\x01\x01\xc8";

/// The component of `progress` with an import that nobody provides.
fn with_a_missing_import() -> anyhow::Result<Vec<u8>> {
    let ours = b"wasmhost:task/state@";
    let foreign = b"wasmhost:task/stage@";
    let mut wasm = fs::read(guest("progress"))?;
    let found = wasm.windows(ours.len()).enumerate().filter(|(_, bytes)| bytes == ours);
    let offsets: Vec<_> = found.map(|(offset, _)| offset).collect();
    ensure!(!offsets.is_empty(), "progress imports no states");
    for offset in offsets {
        wasm[offset..offset + foreign.len()].copy_from_slice(foreign);
    }
    Ok(wasm)
}

#[tokio::test]
async fn a_file_that_is_no_component_is_refused_with_the_fix() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&[]).await?;
    let whole = fs::read(guest("hello"))?;
    let cases: [(&str, &[u8], &str); 6] = [
        ("text", b"fn main() {}", "no WebAssembly"),
        ("empty", b"", "empty"),
        ("core", CORE_MODULE, "wasm-tools component new"),
        ("truncated", &whole[..whole.len() / 2], "copy or build it again"),
        ("precompiled", PRECOMPILED, "precompiled"),
        ("import", &with_a_missing_import()?, "wasmhost:task/stage@0.1.0"),
    ];
    for (name, bytes, fix) in cases {
        let file = deployment.file(&format!("{name}.wasm"), bytes)?;
        let path = file.to_str().unwrap_or_default();
        deployment.wasmhost(&["module", "push", path]).await?.refused(65, &[path, fix])?;
        deployment.wasmhost(&["run", path, "run", "{}"]).await?.refused(65, &[path, fix])?;
    }
    deployment.wasmhost(&["module", "push", "/no/such.wasm"]).await?.refused(66, &["/no/such.wasm"])?;
    ensure!(deployment.wasmhost(&["module", "list", "--json"]).await?.ok()?.is_empty(), "nothing was stored");
    host.check_alive()
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_is_refused_with_its_line() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&[]).await?;
    let policy = deployment.file("policy.toml", b"[limits]\nmemroy_bytes = 1\n")?;
    let component = guest_path("hello")?;
    let policy = policy.display().to_string();
    let ran = deployment.wasmhost(&["module", "push", &component, "--policy", &policy]).await?;
    ran.refused(78, &[&format!("{policy}:2"), "`memroy_bytes`", "did you mean `memory_bytes`?"])
}

#[tokio::test]
async fn a_module_without_a_task_is_refused_at_the_push_with_each_export() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    let text = "(component
        (core module $m (func (export \"f\") (result i32) (i32.const 5)))
        (core instance $i (instantiate $m))
        (func $f (result u32) (canon lift (core func $i \"f\")))
        (instance $inner (export \"deep\" (func $f)))
        (instance $outer (export \"inner\" (instance $inner)))
        (export \"outer\" (instance $outer))
        (export \"code\" (core module $m)))";
    let file = deployment.file("none.wasm", &wat::parse_str(text)?)?;
    let file = file.to_str().context("a path of this test")?;
    let said = ["no task", "`outer#inner`: an instance within an instance", "`code`: a core module"];
    deployment.wasmhost(&["module", "push", file]).await?.refused(65, &said)?;
    deployment.wasmhost(&["run", file]).await?.refused(65, &said)?;
    assert_eq!(deployment.wasmhost(&["module", "list", "--json"]).await?.ok()?, "");
    Ok(())
}
