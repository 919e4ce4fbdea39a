//! Publishes jobs as plain messages, like any NATS client, and again until the stream has taken them.

use std::time::Duration;

use anyhow::Context;
use async_nats::{HeaderMap, jetstream};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{deployment::JOBS, limit::LIMIT};

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// A plain NATS client.
#[derive(Debug, Clone)]
pub(in crate::storm) struct Raw(jetstream::Context);

impl Raw {
    pub(in crate::storm) fn over(nats: async_nats::Client) -> Self {
        let context = jetstream::context::ContextBuilder::new().ack_timeout(Duration::from_secs(2));
        Self(context.build(nats))
    }

    /// Publishes until the stream acknowledges the message, and returns its sequence. By the `id` the stream recognises a second
    /// try.
    pub(super) async fn publish(&self, subject: &str, id: &str, arguments: &Value) -> anyhow::Result<u64> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", id);
            let body = arguments.to_string().into();
            let published =
                async { self.0.publish_with_headers(subject.to_owned(), headers, body).await?.await };
            match published.await {
                Ok(taken) => return Ok(taken.sequence),
                Err(error) if Instant::now() > deadline => {
                    return Err(error).with_context(|| format!("publishing to {subject}"));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Deletes a message. It may be gone already.
    pub(super) async fn delete(&self, sequence: u64) -> anyhow::Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let deleted = async { anyhow::Ok(self.0.get_stream(JOBS).await?.delete_message(sequence).await) };
            match deleted.await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) if error.to_string().contains("no message found") => return Ok(()),
                Ok(Err(error)) if Instant::now() > deadline => return Err(error.into()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Ok(Err(_)) | Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
