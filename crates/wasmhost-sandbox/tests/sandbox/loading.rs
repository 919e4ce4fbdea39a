//! Modules are compiled once, come back from the cache, and are not loaded from it if somebody changed them.

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_sandbox::{Compiler, LoadError, NotLoaded, Sandbox, SandboxConfig, inspect};

use crate::harness::{sandbox, wasm};

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
async fn bytes_that_cannot_run_are_refused_with_the_fix() {
    let sandbox = sandbox(1, None);
    let (_, component) = wasm("hello");
    let cut = component.slice(..component.len() / 2);
    let cases = [
        (bytes::Bytes::from_static(b"\0asm\x01\0\0\0"), "wasm-tools component new"),
        (bytes::Bytes::from_static(b"hello"), "no WebAssembly"),
        (cut, "cut off"),
    ];
    for (number, (bytes, fix)) in cases.into_iter().enumerate() {
        let digest = Digest::from_bytes([number as u8; 32]);
        let error = sandbox.load(digest, bytes).await.unwrap_err().to_string();
        assert!(error.contains(fix), "{error}");
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

#[tokio::test]
async fn loaded_modules_are_bounded_by_their_bytes() {
    let kept = async |modules_bytes| {
        let mut config = SandboxConfig::new(1, Compiler::InProcess);
        config.modules_bytes = modules_bytes;
        let sandbox = Sandbox::new(config, tokio::runtime::Handle::current()).unwrap();
        let mut kept = Vec::new();
        for guest in ["hello", "flaky"] {
            let (digest, bytes) = wasm(guest);
            sandbox.load(digest, bytes).await.unwrap();
        }
        for guest in ["hello", "flaky"] {
            kept.push(sandbox.cached(&wasm(guest).0).await.is_some());
        }
        kept
    };
    assert_eq!(kept(SandboxConfig::MODULES_BYTES).await, [true, true]);
    assert_eq!(kept(1).await, [false, true], "the one that is used now has to be there");
}

#[tokio::test]
async fn bytes_are_fetched_only_where_they_are_compiled() {
    let sandbox = sandbox(1, None);
    let module = ModuleName::parse("hello").unwrap();
    let (digest, bytes) = wasm("hello");
    let none = async { Err("nobody has it") };
    let missing = sandbox.load_version(&module, digest, none).await;
    assert_eq!(missing.unwrap_err(), NotLoaded::NotFetched("nobody has it"));
    sandbox.load_version(&module, digest, async { Ok::<_, ()>(bytes) }).await.unwrap();
    let never = async { panic!("it is in memory") };
    sandbox.load_version::<()>(&module, digest, never).await.unwrap();
    let cut = Digest::from_bytes([9; 32]);
    let never = async { panic!("it is remembered") };
    let refused =
        sandbox.load_version(&module, cut, async { Ok::<_, ()>("hello".into()) }).await.unwrap_err();
    assert!(matches!(&refused, NotLoaded::Refused(LoadError::NotAComponent(_))), "{refused:?}");
    assert_eq!(sandbox.load_version::<()>(&module, cut, never).await.unwrap_err(), refused);
}

/// How many mappings this process has of files whose path contains `path`.
fn mapped(path: &str) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(path)).count()
}

#[tokio::test]
async fn an_artifact_in_the_cache_is_mapped_and_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let (digest, bytes) = wasm("hello");
    let path = dir.path().display().to_string();
    let first = sandbox(1, Some(dir.path().to_owned()));
    first.load(digest, bytes).await.unwrap();
    assert!(mapped(&path) > 0, "as soon as it is compiled");
    drop(first);
    let next = sandbox(1, Some(dir.path().to_owned()));
    let module = next.cached(&digest).await.unwrap();
    assert!(mapped(&path) > 0, "and from then on");
    assert_eq!(module.manifest().unwrap().tasks.len(), 1);
}

#[test]
fn inspecting_tells_the_tasks() {
    let (_, bytes) = wasm("thumbs");
    let manifest = inspect(&bytes).unwrap();
    assert!(manifest.tasks.iter().any(|task| task.function.as_str() == "resize"), "{manifest:?}");
    assert!(matches!(inspect(b""), Err(LoadError::NotAComponent(_))));
}
