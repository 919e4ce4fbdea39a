//! From a claimed job to a running instance: find the module, load it, read the checkpoint, start.

use std::future::Future;

use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_nats::now;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_protocol::record::Record;
use wasmhost_sandbox::{AttemptHandle, AttemptRequest, JobContext};

use crate::host::Host;
use crate::lease::Lease;
use crate::loading;

/// Starts the attempt; on failure, how it ended without a run. Owns all it needs, so the lease can be attended meanwhile.
pub(crate) fn start(
    host: &Host,
    lease: &Lease,
) -> impl Future<Output = Result<AttemptHandle, Verdict>> + Send + use<> {
    let (host, record, policy, args) =
        (host.clone(), lease.known().clone(), lease.policy().clone(), lease.arguments().clone());
    // Once it runs, whoever attends the lease moves it.
    let (timeout, lease_end) = (lease.timeout(), lease.lapses_at());
    async move {
        let digest = record.digest.ok_or_else(|| unknown_module(&record))?;
        let module = loading::module(&host, record.task.module(), digest).await?;
        let checkpoint = match &record.checkpoint {
            Some(blob) => {
                Some(blobs::get(&host.connection, blob).await.map_err(|error| unavailable(&error))?)
            }
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
        let mut request = AttemptRequest::new(job, record.task.function().into(), args, limits);
        request.config = policy.config;
        request.checkpoint = checkpoint;
        request.lease_end = Some(lease_end.into_std());
        Ok(host.sandbox.start(&module, request))
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
