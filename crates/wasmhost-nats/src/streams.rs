//! The state of a stream at this moment, from its leader.

use serde::Deserialize;
use serde_json::json;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::timestamp::Timestamp;

use crate::api;
use crate::connect::Connection;
use crate::read_error::ReadError;

/// The state of a stream at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamState {
    /// When the stream was made. One that was made anew uses its sequences again from 1.
    pub(crate) created: Timestamp,
    /// The sequence of its newest message, whether or not that one is still stored.
    pub(crate) last: u64,
}

#[derive(Deserialize)]
struct InfoResponse {
    created: String,
    state: State,
}

#[derive(Deserialize)]
struct State {
    last_seq: u64,
}

/// Asks the stream's leader for its state.
pub(crate) async fn state_of(connection: &Connection, stream: &str) -> Result<StreamState, ReadError> {
    let subject = stream.to_owned();
    let endpoint = Names::stream_info(stream);
    let answer = api::request::<InfoResponse>(connection, endpoint.clone(), json!({}));
    match connection.denials.or_denied(&endpoint, answer).await {
        Ok(Ok(InfoResponse { created, state })) => match Timestamp::parse(&created) {
            Ok(created) => Ok(StreamState { created, last: state.last_seq }),
            Err(error) => Err(ReadError::Unreachable { subject, text: error.to_string() }),
        },
        Ok(Err(error)) => Err(ReadError::new(subject, &error)),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}
