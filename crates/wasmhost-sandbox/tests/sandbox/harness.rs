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

/// How long anything may take; what takes longer hangs.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a test waits for something that must not happen.
pub(crate) const QUIET: Duration = Duration::from_millis(150);

static GUESTS: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| sandbox(16, None));

/// Makes a sandbox that is not shared.
pub(crate) fn sandbox(slots: u32, cache_dir: Option<PathBuf>) -> Sandbox {
    let mut config = SandboxConfig::new(slots, Compiler::InProcess);
    config.cache_dir = cache_dir;
    Sandbox::new(config, GUESTS.handle().clone()).unwrap()
}

/// The component of a guest of the tests, or of a guest example, with its digest.
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

/// Loads a guest in the shared sandbox.
pub(crate) async fn module(guest: &str) -> Arc<LoadedModule> {
    let (digest, bytes) = wasm(guest);
    SANDBOX.load(digest, bytes).await.unwrap()
}

/// A request to call the function `run`.
pub(crate) fn request(args: &str) -> AttemptRequest {
    let at = Timestamp::parse("2026-11-25T12:00:00Z").unwrap();
    let job = JobContext {
        id: JobId::parse("job-1").unwrap(),
        task: TaskName::parse("guest.run").unwrap(),
        queue: QueueName::default_queue(),
        attempt: 1,
        max_attempts: Some(3),
        submitted_at: at,
        deadline: at.plus(Duration::from_secs(300)),
    };
    let function = FunctionName::parse("run").unwrap().into();
    let mut request = AttemptRequest::new(job, function, args.to_owned().into(), Limits::default());
    request.config = BTreeMap::from([("colour".to_owned(), "blue".to_owned())]);
    request
}

/// Starts a guest in the shared sandbox.
pub(crate) async fn start(guest: &str, request: AttemptRequest) -> AttemptHandle {
    SANDBOX.start(&module(guest).await, request)
}

/// Runs a guest to its end, and takes what it posts as it comes.
pub(crate) async fn outcome(guest: &str, request: AttemptRequest) -> Outcome {
    let mut running = start(guest, request).await;
    let ended = async {
        loop {
            tokio::select! {
                outcome = &mut running.outcome => return outcome,
                () = running.updates.changed() => drop(running.updates.take()),
            }
        }
    };
    soon(ended).await
}

/// Waits for something that happens.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.expect("it takes too long")
}

/// Whether something does not happen for a while.
pub(crate) async fn quiet<T>(future: impl Future<Output = T>) -> bool {
    tokio::time::timeout(QUIET, future).await.is_err()
}
