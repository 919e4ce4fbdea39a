//! Messages that are sent without waiting for an acknowledgement: log lines of jobs, answers to deliveries, and
//! broadcasts to all hosts. Losing one costs little. What was sent is waited for with a flush or a round trip.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::time::timeout;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;

use crate::api;
use crate::connect::{ANSWER_TIMEOUT, Connection};

/// The error of a message that has not left this process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("send to NATS: {0}")]
pub struct SendError(String);

impl Connection {
    /// Waits until everything that was sent has left the process, and the server has read the answers to deliveries.
    pub async fn flush(&self) -> Result<(), SendError> {
        self.client.flush().await.map_err(|error| SendError(error.to_string()))?;
        match self.edge_if_open() {
            Some(wire) => wire.flush().await.map_err(|error| SendError(error.to_string())),
            None => Ok(()),
        }
    }

    /// Waits until the server has handled everything that was sent over this connection, and everything has arrived
    /// that it sent before its answer.
    pub async fn round_trip(&self) -> Result<(), SendError> {
        let answer: Result<IgnoredAny, _> = api::request(self, Names::account_info(), json!({})).await;
        answer.map(drop).map_err(|error| SendError(error.to_string()))
    }

    /// Publishes one line of a job's log if there is room for it at once, and says whether there was. A log must not
    /// hold up its job.
    pub fn try_publish_log(&self, key: &JobKey, line: String) -> bool {
        let publishing = self.client.publish(self.names.logs_subject(key), line.into());
        // Within tokio's budget the future of the thousandth line would be pending although there is room.
        matches!(tokio::task::unconstrained(publishing).now_or_never(), Some(Ok(())))
    }

    /// Tells all hosts that a revoke of this job is recorded, and waits until the message has left the process, at most
    /// five seconds. If it is lost, the host that runs the job finds the revoke when it next refreshes its lease.
    pub async fn broadcast_revoke(&self, key: &JobKey) -> Result<(), SendError> {
        self.send(self.names.revoke_broadcast(key), Bytes::new()).await?;
        // Without a flush, a program that ends now would never send the broadcast.
        timeout(ANSWER_TIMEOUT, self.flush()).await.unwrap_or_else(|_| Err(SendError("no answer".to_owned())))
    }

    /// Sends a message over the edge connection. Without a connection the next one is waited for so long.
    pub(crate) async fn send_over_edge(
        &self,
        subject: &str,
        body: &str,
        wait: Duration,
    ) -> Result<(), SendError> {
        let wire = self.edge().await.map_err(|error| SendError(error.to_string()))?;
        let sent = match wire.publish(subject, None, None, body.as_bytes()).await {
            Err(nats_wire::SendError::Disconnected) if !wait.is_zero() => {
                // Boxed, since it is rare, and each delivery's future has room for it.
                drop(Box::pin(timeout(wait, wire.connected())).await);
                wire.publish(subject, None, None, body.as_bytes()).await
            }
            sent => sent,
        };
        sent.map_err(|error| SendError(error.to_string()))
    }

    /// Hands a message to the client, which sends it when it can.
    pub(crate) async fn send(&self, subject: String, body: Bytes) -> Result<(), SendError> {
        self.client.publish(subject, body).await.map_err(|error| SendError(error.to_string()))
    }
}
