//! Modules are compiled once, come back from the disk, and are never loaded when somebody touched them.

use wasmhost_protocol::Digest;
use wasmhost_sandbox::{LoadError, inspect};

use crate::lab::{sandbox, wasm};

#[tokio::test]
async fn a_module_is_found_in_memory_and_after_a_restart_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (digest, bytes) = wasm("hello");
    let first = sandbox(1, Some(dir.path().to_owned()));
    assert!(first.cached(&digest).await.is_none());
    first.load(digest, bytes).await.unwrap();
    assert!(first.cached(&digest).await.is_some());
    drop(first);
    assert!(sandbox(1, Some(dir.path().to_owned())).cached(&digest).await.is_some());
}

#[tokio::test]
async fn a_changed_artifact_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let (digest, bytes) = wasm("hello");
    sandbox(1, Some(dir.path().to_owned())).load(digest, bytes.clone()).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "artifact") {
            let mut artifact = std::fs::read(&path).unwrap();
            let middle = artifact.len() / 2;
            artifact[middle] ^= 0xff;
            std::fs::write(&path, artifact).unwrap();
        }
    }
    let next = sandbox(1, Some(dir.path().to_owned()));
    assert!(next.cached(&digest).await.is_none());
    next.load(digest, bytes).await.unwrap();
}

#[tokio::test]
async fn bytes_that_cannot_run_are_refused_with_the_mend() {
    let sandbox = sandbox(1, None);
    let (_, component) = wasm("hello");
    let cut = component.slice(..component.len() / 2);
    let cases = [
        (bytes::Bytes::from_static(b"\0asm\x01\0\0\0"), "wasm-tools component new"),
        (bytes::Bytes::from_static(b"hello"), "no WebAssembly"),
        (cut, "cut off"),
    ];
    for (number, (bytes, mend)) in cases.into_iter().enumerate() {
        let digest = Digest::from_bytes([number as u8; 32]);
        let error = sandbox.load(digest, bytes).await.unwrap_err().to_string();
        assert!(error.contains(mend), "{error}");
    }
}

#[tokio::test]
async fn a_failure_is_remembered() {
    let sandbox = sandbox(1, None);
    let (digest, component) = wasm("hello");
    let cut = component.slice(..component.len() / 2);
    let first = sandbox.load(digest, cut).await.unwrap_err();
    assert_eq!(sandbox.load(digest, component).await.unwrap_err(), first);
}

#[test]
fn inspecting_tells_the_tasks() {
    let (_, bytes) = wasm("thumbs");
    let manifest = inspect(&bytes).unwrap();
    assert!(manifest.tasks.iter().any(|task| task.function.as_str() == "resize"), "{manifest:?}");
    assert!(matches!(inspect(b""), Err(LoadError::NotAComponent(_))));
}
