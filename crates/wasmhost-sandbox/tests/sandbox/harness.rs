//! What the tests share: one sandbox on a runtime of its own, and the guest examples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::runtime::{Builder, Runtime};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::{FunctionName, JobId, QueueName, TaskName};
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_sandbox::{
    AttemptHandle, AttemptRequest, Compiler, JobContext, LoadedModule, Sandbox, SandboxConfig,
};

/// Nothing here takes longer, unless it hangs.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long something is watched that must not happen.
pub(crate) const QUIET: Duration = Duration::from_millis(150);

static GUESTS: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| sandbox(16, None));

/// A sandbox of its own.
pub(crate) fn sandbox(slots: u32, cache_dir: Option<PathBuf>) -> Sandbox {
    let config = SandboxConfig {
        slots,
        cache_dir,
        compiler: Compiler::InProcess,
        max_memory_bytes: SandboxConfig::MAX_MEMORY_BYTES,
        modules_bytes: SandboxConfig::MODULES_BYTES,
    };
    Sandbox::new(config, GUESTS.handle().clone()).unwrap()
}

/// The bytes of a guest of the tests, or of a guest example.
pub(crate) fn wasm(guest: &str) -> (Digest, bytes::Bytes) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let own = repository.join("tests/guests");
    let workspace = if own.join(guest).is_dir() { own } else { repository.join("guest-examples") };
    let component = workspace.join("target/wasm32-wasip2/release").join(guest).with_extension("wasm");
    let bytes = std::fs::read(component).expect("build the guests: cargo xtask guests");
    (digest_of(&bytes), bytes.into())
}

/// The digest of a component.
pub(crate) fn digest_of(wasm: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(wasm).into())
}

/// A guest in the shared sandbox.
pub(crate) async fn module(guest: &str) -> Arc<LoadedModule> {
    let (digest, bytes) = wasm(guest);
    SANDBOX.load(digest, bytes).await.unwrap()
}

/// A run of the function `run`.
pub(crate) fn run(args: &str) -> AttemptRequest {
    let at = Timestamp::parse("2026-11-25T12:00:00Z").unwrap();
    AttemptRequest {
        job: JobContext {
            id: JobId::parse("job-1").unwrap(),
            task: TaskName::parse("guest.run").unwrap(),
            queue: QueueName::default_queue(),
            attempt: 1,
            max_attempts: Some(3),
            submitted_at: at,
            deadline: at.plus(Duration::from_secs(300)),
        },
        function: FunctionName::parse("run").unwrap().into(),
        args: args.to_owned().into(),
        limits: Limits::default(),
        config: BTreeMap::from([("colour".to_owned(), "blue".to_owned())]),
        checkpoint: None,
        lease_end: None,
    }
}

/// Starts a guest example in the shared sandbox.
pub(crate) async fn start(guest: &str, run: AttemptRequest) -> AttemptHandle {
    SANDBOX.start(&module(guest).await, run)
}

/// Runs a guest example to its end. Posts are taken as they come.
pub(crate) async fn outcome(guest: &str, run: AttemptRequest) -> Outcome {
    let mut running = start(guest, run).await;
    let taken = async {
        loop {
            tokio::select! {
                outcome = &mut running.outcome => return outcome,
                () = running.updates.changed() => drop(running.updates.take()),
            }
        }
    };
    soon(taken).await
}

/// Waits for something that comes.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.expect("it takes too long")
}

/// Whether something does not come for a while.
pub(crate) async fn quiet<T>(future: impl Future<Output = T>) -> bool {
    tokio::time::timeout(QUIET, future).await.is_err()
}
