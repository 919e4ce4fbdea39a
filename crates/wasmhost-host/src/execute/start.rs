//! From a claimed job to a running guest: the module is loaded, and the checkpoint read.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_nats::{Connection, now};
use wasmhost_protocol::outcome::Verdict;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::record::Record;
use wasmhost_sandbox::{AttemptHandle, AttemptRequest, JobContext};

use super::Executor;
use super::prepared::Prepared;
use crate::attempt::Attempt;

impl Executor {
    /// Returns what the attempt's guest needs, where that is in memory already.
    pub(super) fn prepared(&self, attempt: &Attempt) -> Option<Prepared> {
        let record = attempt.lease.record();
        let digest = record.digest.filter(|_| record.checkpoint.is_none())?;
        Some(Prepared { module: self.sandbox.loaded(&digest)?, checkpoint: None })
    }

    /// Loads what the attempt's guest needs. The error is the verdict of an attempt that ends without a run. The future owns
    /// everything that it needs: the lease is kept alive meanwhile.
    pub(super) fn load(
        &self,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<Prepared, Verdict>> + Send + use<> {
        let connection = self.storage.connection.clone();
        let modules = self.modules.clone();
        let record = attempt.lease.record().clone();
        async move {
            // The digest is that of the job's first claim: a push in between changes nothing for the job.
            let digest = record.digest.ok_or_else(|| unknown_module(&record))?;
            let module = modules.load(record.task.module(), digest).await?;
            Ok(Prepared { module, checkpoint: read_checkpoint(&connection, &record).await? })
        }
    }

    /// Starts the attempt's guest.
    pub(super) fn start(&self, attempt: &Attempt, prepared: Prepared) -> AttemptHandle {
        let record = attempt.lease.record();
        let args = attempt.lease.delivery().body().clone();
        let timeout = attempt.timeout();
        let limits = Limits { timeout, ..attempt.policy.limits.clone() };
        let function = record.task.function().into();
        let mut request = AttemptRequest::new(job_context(record, timeout), function, args, limits);
        request.config = attempt.policy.config.clone();
        request.checkpoint = prepared.checkpoint;
        // The guest must never run without a lease: from its start on, whoever attends to it moves this end.
        request.lease_end = Some(attempt.lease.lapses_at().into_std());
        self.sandbox.start(&prepared.module, request)
    }
}

async fn read_checkpoint(connection: &Connection, record: &Record) -> Result<Option<Bytes>, Verdict> {
    match &record.checkpoint {
        Some(blob) => match Box::pin(blobs::get(connection, blob)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(unavailable(&error)),
        },
        None => Ok(None),
    }
}

/// Returns what the guest is told of its job. The job's time begins now: that its module had to be loaded is not its fault.
fn job_context(record: &Record, timeout: Duration) -> JobContext {
    JobContext {
        id: record.id.clone(),
        task: record.task.clone(),
        queue: record.queue.clone(),
        attempt: record.attempt,
        max_attempts: record.max_attempts,
        submitted_at: record.submitted_at,
        deadline: now().plus(timeout),
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
