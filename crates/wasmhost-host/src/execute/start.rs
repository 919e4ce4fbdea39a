//! From a claimed job to a running guest: its module is loaded and its checkpoint read.

use std::future::Future;

use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_nats::now;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_protocol::record::Record;
use wasmhost_sandbox::{AttemptHandle, AttemptRequest, JobContext};

use super::Executor;
use crate::attempt::Attempt;

impl Executor {
    /// Starts the attempt's guest; on failure, how the attempt ended without a run. The future owns all that it needs, so that
    /// the lease is kept meanwhile.
    pub(super) fn start(
        &self,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<AttemptHandle, Verdict>> + Send + use<> {
        let connection = self.storage.connection.clone();
        let modules = self.modules.clone();
        let sandbox = self.sandbox.clone();
        let record = attempt.lease.record().clone();
        let policy = attempt.policy.clone();
        let args = attempt.lease.delivery().body().clone();
        let timeout = attempt.timeout();
        // Once the guest runs, whoever attends the lease moves it.
        let lease_end = attempt.lease.lapses_at();
        async move {
            let digest = record.digest.ok_or_else(|| unknown_module(&record))?;
            let module = modules.load(record.task.module(), digest).await?;
            let checkpoint = match &record.checkpoint {
                Some(blob) => Some(blobs::get(&connection, blob).await.map_err(|error| unavailable(&error))?),
                None => None,
            };
            let mut limits = policy.limits;
            // The job's time begins here: it did nothing to wait for its module.
            limits.timeout = timeout;
            let job = JobContext {
                id: record.id.clone(),
                task: record.task.clone(),
                queue: record.queue.clone(),
                attempt: record.attempt,
                max_attempts: record.max_attempts,
                submitted_at: record.submitted_at,
                deadline: now().plus(timeout),
            };
            let function = record.task.function().into();
            let mut request = AttemptRequest::new(job, function, args, limits);
            request.config = policy.config;
            request.checkpoint = checkpoint;
            request.lease_end = Some(lease_end.into_std());
            Ok(sandbox.start(&module, request))
        }
    }
}

fn unknown_module(record: &Record) -> Verdict {
    let module = record.task.module();
    Verdict::UnknownModule(format!(
        "no module `{module}` is in the registry; push it: `wasmhost module push FILE --name {module}`"
    ))
}

fn unavailable(error: &ObjectError) -> Verdict {
    Verdict::ModuleUnavailable(format!("could not fetch the checkpoint: {error}"))
}
