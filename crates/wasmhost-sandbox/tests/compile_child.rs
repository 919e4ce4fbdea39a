//! A component compiled by a child process runs like any other. This binary is the child too, so it has its own `main`.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;
use wasmhost_protocol::Digest;
use wasmhost_sandbox::{COMPILE_SUBCOMMAND, Compiler, LoadError, Sandbox, SandboxConfig, compile_child_main};

const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == COMPILE_SUBCOMMAND) {
        return compile_child_main();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        timeout(TIMEOUT, a_child_compiles_and_refuses()).await.unwrap();
    });
    ExitCode::SUCCESS
}

async fn a_child_compiles_and_refuses() {
    let config = SandboxConfig {
        slots: 4,
        cache_dir: None,
        compiler: Compiler::Child { exe: std::env::current_exe().unwrap() },
        max_memory_bytes: SandboxConfig::MAX_MEMORY_BYTES,
    };
    let sandbox = Sandbox::new(config, tokio::runtime::Handle::current()).unwrap();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-examples/target/wasm32-wasip2/release");
    let wasm = bytes::Bytes::from(std::fs::read(dir.join("hello.wasm")).unwrap());
    let module = sandbox.load(Digest::from_bytes([1; 32]), wasm.clone()).await.unwrap();
    assert_eq!(module.manifest().tasks.len(), 1);
    let cut = sandbox.load(Digest::from_bytes([2; 32]), wasm.slice(..wasm.len() / 2)).await;
    assert!(matches!(&cut, Err(LoadError::NotAComponent(text)) if text.contains("cut off")), "{cut:?}");
}
