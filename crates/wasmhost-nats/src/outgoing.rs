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
        let records = self.records().await.map_err(|error| SendError(error.to_string()))?;
        // Answers first: a connection for log lines that is lost must not keep them.
        records.flush().await.map_err(|error| SendError(error.to_string()))?;
        self.flush_logs().await
    }

    async fn flush_logs(&self) -> Result<(), SendError> {
        self.client.flush().await.map_err(|error| SendError(error.to_string()))
    }

    /// Waits until the server has handled every record and every answer that was sent before.
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
        timeout(ANSWER_TIMEOUT, self.flush_logs())
            .await
            .unwrap_or_else(|_| Err(SendError("no answer".to_owned())))
    }

    /// Sends an answer to a delivery. Where there is no connection, or no room, it waits for so long.
    pub(crate) async fn send_answer(
        &self,
        subject: &str,
        body: &str,
        wait: Duration,
    ) -> Result<(), SendError> {
        let wire = self.records().await.map_err(|error| SendError(error.to_string()))?;
        let sending = async {
            match wire.publish(subject, None, None, body.as_bytes()).await {
                Err(nats_wire::SendError::Disconnected) if wire.connected().await => {
                    wire.publish(subject, None, None, body.as_bytes()).await
                }
                sent => sent,
            }
        };
        match timeout(wait, sending).await {
            Ok(sent) => sent.map_err(|error| SendError(error.to_string())),
            Err(_) => Err(SendError("there was no connection in time".to_owned())),
        }
    }

    /// Hands a message to the client, which sends it when it can.
    pub(crate) async fn send(&self, subject: String, body: Bytes) -> Result<(), SendError> {
        self.client.publish(subject, body).await.map_err(|error| SendError(error.to_string()))
    }
}
