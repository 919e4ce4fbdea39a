//! Requests for a direct read, and the answers to them. They go over the edge connection, since an answer is a message
//! as its publisher wrote it.

use std::ops::RangeInclusive;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use nats_wire::{Answers, Headers, Message, RequestError};
use serde_json::{Value, json};
use tokio::time::timeout;
use wasmhost_protocol::names::{Names, header};

use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;
use crate::streams::stream_state;

/// More answers than one request can have: 1,024 subjects are the most that the server reads at once.
const MAX_ANSWERS: usize = 1 << 11;
/// How many requests for one message each are under way at a time.
const REQUESTS_AT_ONCE: usize = 64;
/// How long the next answer to a request may take.
const SILENCE: Duration = ANSWER_TIMEOUT;

/// The statuses that end the answers to a request.
const NO_MESSAGE: u16 = 404;
const TOO_MANY: u16 = 413;
const END: u16 = 204;
const NO_RESPONDERS: u16 = 503;

/// The answers to a request for many messages.
pub(super) struct Batch {
    pub(super) messages: Vec<StoredMessage>,
    /// How many further messages match.
    pub(super) left: u64,
}

/// Reads one message; none where there is no such message.
pub(super) async fn one(
    connection: &Connection,
    stream: &str,
    body: &Value,
) -> Result<Option<StoredMessage>, ReadError> {
    let subject = Names::direct_messages(stream);
    let answer = match connection.denials.or_denied(&subject, answer_to(connection, &subject, body)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => return Err(why.into_error(connection, stream, stream).await),
        Err(text) => return Err(ReadError::Denied { subject: stream.to_owned(), text }),
    };
    let status = answer.status();
    // The headers that the server adds make an answer a message, whatever status it has.
    match (StoredMessage::of_direct(&answer), status) {
        (Some(message), _) => Ok(Some(message)),
        (None, Some(NO_MESSAGE)) => Ok(None),
        (None, status) => {
            Err(ReadError::Unreachable { subject: stream.to_owned(), text: described(&answer, status) })
        }
    }
}

/// Reads the messages with these sequences that are stored, each by a request of its own, and keeps what `take` makes of each. A
/// request for many would count all that is behind them, which in a bucket of a million keys takes a tenth of a second under the
/// stream's lock.
pub(crate) async fn each<T>(
    connection: &Connection,
    stream: &str,
    sequences: RangeInclusive<u64>,
    take: impl Fn(&StoredMessage) -> Option<T>,
) -> Result<Vec<T>, ReadError> {
    let take = &take;
    // What is taken is taken at once: of messages, which may be large, no more are in memory than requests are under way.
    let read = async |sequence| {
        let found = one(connection, stream, &json!({ "seq": sequence })).await?;
        Ok(found.as_ref().and_then(take))
    };
    let reads = futures::stream::iter(sequences).map(read).buffered(REQUESTS_AT_ONCE);
    reads.try_filter_map(async |taken| Ok(taken)).try_collect().await
}

/// Reads many messages; none where they would be too many. `what` names what is read in an error.
pub(super) async fn batch(
    connection: &Connection,
    stream: &str,
    what: &str,
    body: &Value,
) -> Result<Option<Batch>, ReadError> {
    let subject = Names::direct_messages(stream);
    match connection.denials.or_denied(&subject, answers_to(connection, &subject, body)).await {
        Ok(Ok(batch)) => Ok(batch),
        Ok(Err(why)) => Err(why.into_error(connection, stream, what).await),
        Err(text) => Err(ReadError::Denied { subject: what.to_owned(), text }),
    }
}

/// Why a request has no answer.
enum Unanswered {
    /// Nothing listens: there is no such stream, or it has no leader at this moment.
    NoResponders(String),
    /// The connection broke, or an answer did not come in time or could not be read.
    Broken(String),
}

impl Unanswered {
    async fn into_error(self, connection: &Connection, stream: &str, what: &str) -> ReadError {
        let text = match self {
            // Only then is the API asked, which can tell whether the stream exists: a server that does not answer would
            // make the caller wait twice.
            Self::NoResponders(text) => match stream_state(connection, stream).await {
                Err(missing @ ReadError::NotSetUp { .. }) => return missing,
                Ok(_) | Err(_) => text,
            },
            Self::Broken(text) => text,
        };
        ReadError::Unreachable { subject: what.to_owned(), text }
    }
}

fn broken(why: impl std::fmt::Display) -> Unanswered {
    Unanswered::Broken(why.to_string())
}

async fn answer_to(connection: &Connection, subject: &str, body: &Value) -> Result<Message, Unanswered> {
    let wire = connection.edge().await.map_err(broken)?;
    let body = body.to_string();
    wire.request(subject, body.as_bytes(), ANSWER_TIMEOUT).await.map_err(|error| match error {
        RequestError::NoResponders(_) => Unanswered::NoResponders(error.to_string()),
        error => broken(error),
    })
}

async fn answers_to(
    connection: &Connection,
    subject: &str,
    body: &Value,
) -> Result<Option<Batch>, Unanswered> {
    let wire = connection.edge().await.map_err(broken)?;
    let asked = wire.ask(subject, body.to_string().as_bytes(), MAX_ANSWERS).await;
    let mut answers = asked.map_err(broken)?;
    let mut messages = Vec::new();
    loop {
        let answer = next_answer(&mut answers).await?;
        match StoredMessage::of_direct(&answer) {
            Some(message) => messages.push(message),
            None => return end_of(&answer, messages),
        }
    }
}

async fn next_answer(answers: &mut Answers) -> Result<Message, Unanswered> {
    let answer = timeout(SILENCE, answers.next()).await.map_err(|_| broken("no answer in time"))?;
    answer.ok_or_else(|| broken("the connection broke"))
}

/// What the status says that ends the answers to a request.
fn end_of(answer: &Message, messages: Vec<StoredMessage>) -> Result<Option<Batch>, Unanswered> {
    match answer.status() {
        // Behind messages this status breaks the answer off, because a message that was counted has expired meanwhile:
        // there may be more. Without any there are none.
        Some(NO_MESSAGE) => {
            let left = u64::from(!messages.is_empty());
            Ok(Some(Batch { messages, left }))
        }
        Some(TOO_MANY) => Ok(None),
        Some(END) => {
            let headers = Headers::ending(answer.block.as_deref().unwrap_or_default());
            let left = headers.last(header::NUM_PENDING).and_then(|left| left.parse().ok()).unwrap_or(0);
            Ok(Some(Batch { messages, left }))
        }
        Some(NO_RESPONDERS) => Err(Unanswered::NoResponders(described(answer, Some(NO_RESPONDERS)))),
        status => Err(broken(described(answer, status))),
    }
}

fn described(answer: &Message, status: Option<u16>) -> String {
    let headers = answer.headers().unwrap_or_default();
    let status = status.map_or_else(|| "what is no message".to_owned(), |status| status.to_string());
    format!("the server answers {status} {}", headers.description().unwrap_or_default())
}
