//! `wasmhost dev` in directories as people have them.

use anyhow::ensure;
use end_to_end::{DEV_READY, EXPORT_NATS_URL, Wasmhost, guest};

use super::Test;

#[tokio::test]
async fn what_cargo_just_built_is_pushed_under_a_name_that_is_reported() -> Test {
    let package = tempfile::tempdir()?;
    let built = package.path().join("target/wasm32-wasip2/debug");
    std::fs::create_dir_all(&built)?;
    std::fs::write(package.path().join("Cargo.toml"), "")?;
    for file in ["hello.component.wasm", "my-task.wasm", "my_task.wasm"] {
        std::fs::copy(guest("hello"), built.join(file))?;
    }
    let nats_server = end_to_end::nats_server()?.display().to_string();
    let directory = package.path().display().to_string();
    let arguments = ["dev", &directory, "--nats-server", &nats_server];
    let mut dev = Wasmhost::at("nats://127.0.0.1:1").follow(&arguments)?;
    dev.stderr.wait_for(DEV_READY).await?;
    let notes = dev.stderr.text();
    for line in ["module hello of ", "module my-task of ", "my-task.wasm is module my-task already"] {
        ensure!(notes.contains(line), "{line}: {notes}");
    }
    let export = dev.stdout.wait_for(EXPORT_NATS_URL).await?;
    let url = export.trim_start_matches(EXPORT_NATS_URL).trim();
    let ran = Wasmhost::at(url).run(&["submit", "my-task.run", r#"{"name":"Ada"}"#, "--wait"]).await?;
    ensure!(ran.ok()?.contains("Hello, Ada!"), "{ran}");
    Ok(())
}
