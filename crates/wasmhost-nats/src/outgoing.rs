//! What is sent without an answer: log lines of jobs and words to all hosts.

use bytes::Bytes;
use futures::FutureExt;
use tokio::time::timeout;
use wasmhost_protocol::ids::JobKey;

use crate::connect::{ANSWER_TIMEOUT, Connection};

/// What was sent did not leave this process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("send to NATS: {0}")]
pub struct SendError(String);

impl Connection {
    /// Waits until what was sent over the first connection has left this process. It is no round trip to the server.
    pub async fn flush(&self) -> Result<(), SendError> {
        self.client.flush().await.map_err(|error| SendError(error.to_string()))
    }

    /// Publishes a line of a job's log, if there is room for it at once. Whether there was.
    pub fn try_publish_log(&self, key: &JobKey, line: String) -> bool {
        let publishing = self.client.publish(self.names.logs_subject(key), line.into());
        // Many lines in one turn of the runtime use the turn up, which is no want of room.
        matches!(tokio::task::unconstrained(publishing).now_or_never(), Some(Ok(())))
    }

    /// Tells all hosts that a revoke of this job is recorded. A lost word is made up for by the next sign of life of the attempt.
    pub async fn broadcast_revoke(&self, key: &JobKey) -> Result<(), SendError> {
        let subject = self.names.revoke_broadcast(key);
        self.client.publish(subject, Bytes::new()).await.map_err(|error| SendError(error.to_string()))?;
        // Without a flush, a program that ends now would never send the broadcast.
        timeout(ANSWER_TIMEOUT, self.flush()).await.unwrap_or_else(|_| Err(SendError("no answer".to_owned())))
    }
}
