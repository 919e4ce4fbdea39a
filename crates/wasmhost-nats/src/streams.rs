//! A stream as a whole: its state at this moment, as its leader knows it, and the removal of what it has on a subject.

use serde::Deserialize;
use serde_json::json;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::timestamp::Timestamp;

use crate::api;
use crate::connect::Connection;
use crate::read_error::ReadError;

/// The state of a stream at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamState {
    /// When the stream was made. One that was recreated uses its sequences again from 1.
    pub created: Timestamp,
    /// The sequence of its newest message, whether or not that one is still stored.
    pub last: u64,
    /// How many messages it stores.
    pub messages: u64,
}

#[derive(Deserialize)]
struct InfoResponse {
    created: String,
    state: State,
}

#[derive(Deserialize)]
struct State {
    last_seq: u64,
    messages: u64,
}

/// Asks the stream's leader for its state. `stream` is a name that a method of [`Names`] returns.
pub async fn stream_state(connection: &Connection, stream: &str) -> Result<StreamState, ReadError> {
    let subject = stream.to_owned();
    match api::request(connection, Names::stream_info(stream), json!({})).await {
        Ok(InfoResponse { created, state }) => match Timestamp::parse(&created) {
            Ok(created) => Ok(StreamState { created, last: state.last_seq, messages: state.messages }),
            Err(error) => Err(ReadError::Unreachable { subject, text: error.to_string() }),
        },
        Err(error) => Err(ReadError::new(subject, &error)),
    }
}

#[derive(Deserialize)]
struct PurgeResponse {
    purged: u64,
}

/// Removes the messages on a subject, which may have wildcards, up to and with the sequence `last`, or all of them. Returns how
/// many there were.
pub(crate) async fn purge(
    connection: &Connection,
    stream: &str,
    subject: &str,
    last: Option<u64>,
) -> Result<u64, ReadError> {
    let body = match last {
        // A purge keeps the message with the sequence that it is given.
        Some(last) => json!({ "filter": subject, "seq": last.saturating_add(1) }),
        None => json!({ "filter": subject }),
    };
    match api::request(connection, Names::stream_purge(stream), body).await {
        Ok(PurgeResponse { purged }) => Ok(purged),
        Err(error) => Err(ReadError::new(subject.to_owned(), &error)),
    }
}
