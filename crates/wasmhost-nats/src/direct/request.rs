//! Requests for messages, and the ways in which they are answered.

use std::time::Duration;

use nats_wire::{Headers, RequestError};
use serde_json::Value;
use tokio::time::timeout;
use wasmhost_protocol::names::{Names, header};

use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;
use crate::streams::state_of;

/// More answers than one request may have: the server names at most 1,024 subjects at once.
const MOST_ANSWERS: usize = 1 << 11;

/// The statuses that end an answer.
const NO_MESSAGE: u16 = 404;
const TOO_MANY: u16 = 413;
const END: u16 = 204;
const NO_RESPONDERS: u16 = 503;

/// The answer to a request for one message.
pub(super) async fn one(
    connection: &Connection,
    stream: &str,
    request: &Value,
) -> Result<Option<StoredMessage>, ReadError> {
    let unreachable = |text: String| ReadError::Unreachable { subject: stream.to_owned(), text };
    let subject = Names::direct_messages(stream);
    let answer = async {
        let wire = connection.edge().await.map_err(|error| Unanswered::Broken(error.to_string()))?;
        let body = request.to_string();
        wire.request(&subject, body.as_bytes(), ANSWER_TIMEOUT).await.map_err(|error| match error {
            RequestError::NoResponders(_) => Unanswered::ByNobody(error.to_string()),
            error => Unanswered::Broken(error.to_string()),
        })
    };
    let answer = match connection.denials.or_denied(&subject, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => return Err(why.into_error(connection, stream, stream).await),
        Err(text) => return Err(ReadError::Denied { subject: stream.to_owned(), text }),
    };
    let status = answer.status();
    // What is a message has the server's word for it, whatever status its writer gave it.
    match (StoredMessage::of_direct(&answer), status) {
        (Some(message), _) => Ok(Some(message)),
        (None, Some(NO_MESSAGE)) => Ok(None),
        (None, status) => Err(unreachable(described(&answer, status))),
    }
}

pub(super) struct Batch {
    pub(super) messages: Vec<StoredMessage>,
    pub(super) left: u64,
}

/// The answer to a request for many; none where it would be too many.
pub(super) async fn batch(
    connection: &Connection,
    stream: &str,
    what: &str,
    request: &Value,
) -> Result<Option<Batch>, ReadError> {
    let subject = Names::direct_messages(stream);
    let read = read_batch(connection, &subject, request);
    match connection.denials.or_denied(&subject, read).await {
        Ok(Ok(batch)) => Ok(batch),
        Ok(Err(why)) => Err(why.into_error(connection, stream, what).await),
        Err(text) => Err(ReadError::Denied { subject: what.to_owned(), text }),
    }
}

/// Why there is no answer.
enum Unanswered {
    /// Nobody listens: there is no such stream, or it has no leader now.
    ByNobody(String),
    Broken(String),
}

impl Unanswered {
    /// Only where nobody listens the stream itself is asked for: a server that is away costs no second wait.
    async fn into_error(self, connection: &Connection, stream: &str, what: &str) -> ReadError {
        let text = match self {
            Self::ByNobody(text) => match state_of(connection, stream).await {
                Err(missing @ ReadError::NotSetUp { .. }) => return missing,
                Ok(_) | Err(_) => text,
            },
            Self::Broken(text) => text,
        };
        ReadError::Unreachable { subject: what.to_owned(), text }
    }
}

async fn read_batch(
    connection: &Connection,
    subject: &str,
    request: &Value,
) -> Result<Option<Batch>, Unanswered> {
    const SILENCE: Duration = ANSWER_TIMEOUT;
    let broken = |why: &dyn std::fmt::Display| Unanswered::Broken(why.to_string());
    let wire = connection.edge().await.map_err(|error| broken(&error))?;
    let asked = wire.ask(subject, request.to_string().as_bytes(), MOST_ANSWERS).await;
    let mut answers = asked.map_err(|error| broken(&error))?;
    let mut messages = Vec::new();
    loop {
        let answer = timeout(SILENCE, answers.next()).await.map_err(|_| broken(&"no answer in time"))?;
        let answer = answer.ok_or_else(|| broken(&"the connection broke"))?;
        if let Some(message) = StoredMessage::of_direct(&answer) {
            messages.push(message);
            continue;
        }
        match answer.status() {
            // Behind messages it breaks the answer off: one that was counted has expired meanwhile. There may be more.
            Some(NO_MESSAGE) => {
                let left = u64::from(!messages.is_empty());
                return Ok(Some(Batch { messages, left }));
            }
            Some(TOO_MANY) => return Ok(None),
            Some(END) => {
                let told = Headers::ending(answer.block.as_deref().unwrap_or_default());
                let left = told.last(header::NUM_PENDING).and_then(|left| left.parse().ok()).unwrap_or(0);
                return Ok(Some(Batch { messages, left }));
            }
            Some(NO_RESPONDERS) => return Err(Unanswered::ByNobody(described(&answer, Some(NO_RESPONDERS)))),
            status => return Err(broken(&described(&answer, status))),
        }
    }
}

fn described(answer: &nats_wire::Message, status: Option<u16>) -> String {
    let headers = answer.headers().unwrap_or_default();
    let status = status.map_or_else(|| "what is no message".to_owned(), |status| status.to_string());
    format!("the server answers {status} {}", headers.description().unwrap_or_default())
}
