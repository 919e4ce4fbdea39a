//! A message that is published, and its acknowledgement.

use bytes::Bytes;
use nats_wire::{HeaderBlock, Message, SendError};
use serde::Deserialize;
use tokio::time::{Instant, timeout, timeout_at};
use wasmhost_protocol::text::escape;

use crate::api::ErrorBody;
use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::publish_failure::PublishFailure;

/// How long an acknowledgement is waited for before it is asked whether the server has denied the publish. Most come much sooner,
/// and then nobody has to listen to denials.
const DENIAL_CHECK_AFTER: std::time::Duration = std::time::Duration::from_millis(100);
/// The status of the server's answer to a message that no stream takes.
const NO_RESPONDERS: u16 = 503;

/// A message that is to be published.
#[derive(Debug, Default)]
pub(crate) struct Publication {
    headers: HeaderBlock,
    payload: Bytes,
}

impl Publication {
    pub(crate) fn new(payload: Bytes) -> Self {
        Self { headers: HeaderBlock::default(), payload }
    }

    /// Adds a header. What a header cannot hold is escaped.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.add_header(name, value);
        self
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        if self.headers.push(name, value).is_err() {
            self.headers.push(name, &escape(value)).expect("escaped text has no control characters");
        }
    }
}

/// What a stream says of a message that it has stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublishAck {
    /// The message's sequence; of a duplicate, that of the earlier message.
    pub(crate) sequence: u64,
    /// Whether the stream knows the message id already, and dropped this message.
    pub(crate) duplicate: bool,
}

#[derive(Deserialize)]
struct AckResponse {
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    error: Option<ErrorBody>,
}

/// Publishes a message, and waits for its acknowledgement.
pub(crate) async fn publish(
    connection: &Connection,
    subject: &str,
    message: Publication,
) -> Result<PublishAck, PublishFailure> {
    let until = Instant::now() + ANSWER_TIMEOUT;
    let wire = connection.records().await.map_err(|error| PublishFailure::Unknown(error.to_string()))?;
    let seen = connection.denials.count();
    let mut answer = loop {
        let sending = wire.send_request(subject, Some(&message.headers), &message.payload);
        match timeout_at(until, sending).await {
            // Nothing was sent: the message may wait for the next connection, as long as for an acknowledgement.
            Ok(Err(SendError::Disconnected)) if timeout_at(until, wire.connected()).await == Ok(true) => {}
            Ok(sent) => break sent?,
            Err(_) => return Err(PublishFailure::Unknown("there was no room to send it in time".to_owned())),
        }
    };
    let answer = match timeout(DENIAL_CHECK_AFTER, &mut answer).await {
        Ok(answer) => answer,
        // Boxed: this is rare, and the future of each job has room for all that it may await.
        Err(_) => {
            let waited = timeout_at(until, answer);
            match Box::pin(connection.denials.or_denied_since(seen, subject, waited)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => return Err(PublishFailure::Unknown("no acknowledgement in time".to_owned())),
                Err(denial) => return Err(PublishFailure::Refused(denial)),
            }
        }
    };
    acknowledged(subject, answer)
}

/// Reads the answer to a publish; none is one that will not come, because the connection broke.
pub(crate) fn acknowledged(subject: &str, answer: Option<Message>) -> Result<PublishAck, PublishFailure> {
    let answer = answer.ok_or_else(|| PublishFailure::Unknown("the connection broke".to_owned()))?;
    if answer.payload.is_empty() && answer.status() == Some(NO_RESPONDERS) {
        return Err(PublishFailure::NoStream(format!("no stream takes `{subject}`")));
    }
    read_ack(&answer.payload)
}

fn read_ack(answer: &[u8]) -> Result<PublishAck, PublishFailure> {
    match serde_json::from_slice(answer) {
        // JetStream gives every error a code. Whoever else answers says nothing of what is stored.
        Ok(AckResponse { error: Some(ErrorBody { err_code: 0, .. }), .. }) => {
            Err(PublishFailure::Unknown("an error without a code".to_owned()))
        }
        Ok(AckResponse { error: Some(error), .. }) => {
            let ErrorBody { code, err_code, description } = error;
            Err(PublishFailure::from_code(err_code, code, format!("{description} ({err_code})")))
        }
        Ok(AckResponse { seq: Some(sequence), duplicate, .. }) => Ok(PublishAck { sequence, duplicate }),
        Ok(_) => Err(PublishFailure::Unknown("an acknowledgement without a sequence".to_owned())),
        Err(error) => Err(PublishFailure::Unknown(format!("unreadable acknowledgement: {error}"))),
    }
}

impl From<SendError> for PublishFailure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::TooLarge { .. } => Self::TooLarge,
            error @ SendError::Subject(_) => Self::Refused(error.to_string()),
            error => Self::Unknown(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_told_from_a_refusal() {
        let ack = read_ack(br#"{"stream":"S","seq":7}"#).unwrap();
        assert_eq!((ack.sequence, ack.duplicate), (7, false));
        assert!(read_ack(br#"{"stream":"S","seq":7,"duplicate":true}"#).unwrap().duplicate);
        let refused = read_ack(
            br#"{"error":{"code":400,"err_code":10071,"description":"wrong"},"stream":"S","seq":0}"#,
        );
        assert!(matches!(refused, Err(PublishFailure::Conflict)), "{refused:?}");
        assert!(matches!(read_ack(br#"{"error":{}}"#), Err(PublishFailure::Unknown(_))));
        assert!(matches!(read_ack(b"{}"), Err(PublishFailure::Unknown(_))));
        assert!(matches!(read_ack(b"+OK"), Err(PublishFailure::Unknown(_))));
    }
}
