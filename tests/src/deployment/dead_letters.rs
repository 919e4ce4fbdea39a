//! Dead-letter copies: what became of jobs that failed, and of messages that are no jobs.

use async_nats::jetstream::message::StreamMessage;

use super::{Deployment, streams::DEAD};

/// A dead-letter copy, as it is in its stream.
#[derive(Debug)]
pub struct DeadLetter {
    /// The subject that names the job, or the message that is none.
    pub subject: String,
    /// The kind of the failure.
    pub kind: String,
    /// Why the job failed.
    pub reason: String,
    /// Where the job was published.
    pub published_at: String,
    /// The body of the job's message.
    pub body: Vec<u8>,
}

impl Deployment {
    /// All dead-letter copies, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// The stream cannot be read.
    pub async fn dead_letters(&self) -> anyhow::Result<Vec<DeadLetter>> {
        let stream = self.stream(DEAD).await?;
        let mut letters = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            letters.push(DeadLetter::of(&stream.get_raw_message(sequence).await?));
        }
        Ok(letters)
    }

    /// The dead-letter copy of a job, by its key; none where there is none.
    ///
    /// # Errors
    ///
    /// The stream cannot be read.
    pub async fn dead_letter(&self, key: &str) -> anyhow::Result<Option<DeadLetter>> {
        let subject = format!("wasmhost.dead.{key}");
        Ok(self.dead_letters().await?.into_iter().rfind(|letter| letter.subject == subject))
    }
}

impl DeadLetter {
    fn of(message: &StreamMessage) -> Self {
        let header = |name: &str| message.headers.get(name).map(ToString::to_string).unwrap_or_default();
        Self {
            kind: header("Wasmhost-Dead-Kind"),
            reason: header("Wasmhost-Dead-Reason"),
            published_at: header("Wasmhost-Dead-Subject"),
            subject: message.subject.to_string(),
            body: message.payload.to_vec(),
        }
    }
}
