//! How a stream is at the moment, from its leader.

use serde::Deserialize;
use serde_json::json;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::timestamp::Timestamp;

use crate::api;
use crate::connect::Connection;
use crate::read_error::ReadError;

/// How a stream is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamState {
    /// When it was made. One that was made anew numbers its messages from 1 again.
    pub(crate) created: Timestamp,
    /// The number of its newest message, whether or not that still stands.
    pub(crate) last: u64,
}

#[derive(Deserialize)]
struct Info {
    created: String,
    state: State,
}

#[derive(Deserialize)]
struct State {
    last_seq: u64,
}

/// Asks the stream's leader.
pub(crate) async fn state_of(connection: &Connection, stream: &str) -> Result<StreamState, ReadError> {
    let subject = stream.to_owned();
    let asked = api::ask::<Info>(connection, Names::stream_info(stream), json!({}));
    match connection.denials.or_denied(&Names::stream_info(stream), asked).await {
        Ok(Ok(Info { created, state })) => match Timestamp::parse(&created) {
            Ok(created) => Ok(StreamState { created, last: state.last_seq }),
            Err(error) => Err(ReadError::Unreachable { subject, text: error.to_string() }),
        },
        Ok(Err(error)) => Err(ReadError::new(subject, &error)),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}
