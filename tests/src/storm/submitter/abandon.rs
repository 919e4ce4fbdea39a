//! A client that dies when it has written the record of a job, so that its message never comes.

use anyhow::{Context, ensure};
use wasmhost_audit::Answer;
use wasmhost_client::protocol::arguments::args_digest;
use wasmhost_client::protocol::ids::QueueName;
use wasmhost_client::protocol::machine::{JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_nats::{Records, Written, now, random_write_id};

use super::{Job, Submitter, parse};

impl Submitter {
    /// Writes the record of a job, and nothing else.
    pub(super) async fn abandon(&self, job: &Job) -> anyhow::Result<()> {
        let key = parse(&job.key())?;
        self.notes.submit(&key, Answer::Unknown);
        let submission = JobSpec {
            key: key.clone(),
            queue: QueueName::default_queue(),
            submitted_at: now(),
            not_before: None,
            expires_at: None,
            max_attempts: None,
            args_digest: Some(args_digest(job.behaviour.arguments().to_string().as_bytes())),
            digest: None,
            parent: None,
            notify: None,
            after: None,
        };
        let event = Transition::Submit(submission);
        let change =
            WriteIntent { transition: event, writer: Writer::Client, now: now(), write: random_write_id() };
        let record = transition(None, &change).context("a job where none stands")?;
        let written = Records::new(self.client.connection()).write(&key, &record, 0, None).await?;
        ensure!(matches!(written, Written::Stored(_)), "{key}: {written:?}");
        Ok(())
    }
}
