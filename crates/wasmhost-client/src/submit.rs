//! Submitting one job. What stands under its key decides how it goes on (`record`): as a rule the PENDING record is written,
//! and after it the message, or the schedule that fires the message, is published (`publish`). Where an earlier publish had
//! no answer, its message is looked for (`find`), and the record is touched before the job is reported as accepted.

pub(crate) mod error;
mod find;
mod publish;
mod record;
mod submitting;

use wasmhost_nats::{EndNotice, ReadError};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::{StateLabel, StoredEntry};

use crate::client::Client;
use crate::job::JobHandle;
use crate::submission::{RegistryCheck, Submission};
use error::SubmitError;
use submitting::{Step, Submitting};

/// A job that was accepted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Accepted {
    /// A handle on the job.
    pub job: JobHandle,
    /// PENDING for a new job; else the state of the equal job that has this id already.
    pub state: StateLabel,
    /// The revision of the job's record.
    pub revision: u64,
}

impl Client {
    /// Submits a job. It is accepted when its message is in the stream or its schedule on the server, or when there is a job
    /// with the same id and the same arguments already; such a job keeps the time for which it was submitted first. A server
    /// that does not answer is asked again for [`ClientConfig::publish_timeout`](crate::ClientConfig::publish_timeout).
    ///
    /// # Errors
    ///
    /// The job is refused, or could not be submitted. [`SubmitError::Unreachable`] leaves open whether it was: submit it
    /// again with the same id.
    pub async fn submit(&self, submission: Submission) -> Result<Accepted, SubmitError> {
        submission.check()?;
        self.check_by_registry(&submission).await?;
        // Most ids are new, so that the first write expects nothing under the key, without reading it before.
        self.submit_over(submission, StoredEntry::Absent).await
    }

    /// Submits a job like [`Self::submit`], but gives up at once where the server has no streams or does not answer: what
    /// stands under the job's key is read first, once. It is for people at a terminal, who would rather start a server than
    /// wait for it.
    ///
    /// # Errors
    ///
    /// [`SubmitError::NotSetUp`] and [`SubmitError::NoAnswer`] where the server is not ready, else as [`Self::submit`].
    pub async fn try_submit(&self, mut submission: Submission) -> Result<Accepted, SubmitError> {
        submission.check()?;
        // Before the registry is asked, which would wait for a server that is not ready.
        let stored = self.read_once(submission.key()).await?;
        self.check_by_registry(&submission).await?;
        self.submit_over(submission, stored).await
    }

    /// Reads what stands under the key. Who may not read may still submit.
    async fn read_once(&self, key: JobKey) -> Result<StoredEntry, SubmitError> {
        match self.records().read(&key).await {
            Ok(stored) => Ok(stored),
            Err(ReadError::NotSetUp { text, .. }) => Err(SubmitError::NotSetUp { key, why: text }),
            Err(source @ ReadError::Unreachable { .. }) => Err(SubmitError::NoAnswer { key, source }),
            Err(_) => Ok(StoredEntry::Absent),
        }
    }

    async fn check_by_registry(&self, submission: &Submission) -> Result<(), SubmitError> {
        match submission.registry_check {
            RegistryCheck::Required => self.manifests().check(self.connection(), submission).await,
            RegistryCheck::Skipped => Ok(()),
        }
    }

    async fn notice_for(&self, submission: &Submission) -> Option<EndNotice> {
        let is_wanted = submission.tell_end && submission.options.notify.is_none();
        // Without a connection the job waits for one when its record is written; its handle then reads the record.
        if is_wanted { self.records().expect_end().await.ok() } else { None }
    }

    /// Submits a checked job whose key held `stored` when it was read last.
    async fn submit_over(
        &self,
        submission: Submission,
        stored: StoredEntry,
    ) -> Result<Accepted, SubmitError> {
        let notice = self.notice_for(&submission).await;
        let mut submitting = Submitting::new(self, submission, notice);
        let mut step = Step::Decide(stored);
        loop {
            step = match step {
                Step::Decide(stored) => submitting.record(stored).await?,
                Step::Publish(pending) => submitting.publish(pending).await?,
                Step::Accepted(state, revision) => {
                    let job = JobHandle { notice: submitting.notice, ..self.job(&submitting.key) };
                    return Ok(Accepted { job, state, revision });
                }
            };
        }
    }
}
