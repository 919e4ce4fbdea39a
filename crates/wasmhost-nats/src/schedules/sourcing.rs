//! How far the job stream has taken over due messages from the schedule stream.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use wasmhost_protocol::names::Names;

use crate::connect::Connection;
use crate::read_error::ReadError;

/// The state of the job stream's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sourcing {
    /// How many due messages the job stream has not taken yet, as the server says.
    pub lag: u64,
    /// How long ago the source was in contact with the schedule stream; none: never.
    pub contact: Option<Duration>,
    /// Whether the job stream may have no room for the next message. It then takes none, and still reports neither lag
    /// nor silence.
    pub full: bool,
}

impl Sourcing {
    /// A source without contact for longer may have lost the schedule stream.
    const CONTACT: Duration = Duration::from_secs(20);

    /// Whether the job stream seems to have taken all due messages that it can take.
    ///
    /// This is only a hint: a message that the job stream cannot store holds the source up without any sign of it
    /// ([fact 13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#f13)).
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lag == 0 && !self.full && self.contact.is_some_and(|contact| contact <= Self::CONTACT)
    }
}

/// Asks the job stream's leader how far it has taken over due messages.
pub async fn sourcing(connection: &Connection) -> Result<Sourcing, ReadError> {
    let stream = connection.names.jobs_stream();
    let answer = async {
        let stream = connection.jetstream.get_stream(&stream).await.map_err(|e| e.to_string())?;
        let info = stream.cached_info();
        let source = info.sources.first().ok_or_else(|| "the job stream has no source".to_owned())?;
        Ok(Sourcing { lag: source.lag, contact: source.active, full: is_full(info) })
    };
    match connection.denials.or_denied(&Names::stream_info(&stream), answer).await {
        Ok(sourcing) => sourcing.map_err(|text| ReadError::Unreachable { subject: stream.clone(), text }),
        Err(text) => Err(ReadError::Denied { subject: stream, text }),
    }
}

/// Whether the next message may find no room. How large it is is not known, so that the largest one counts.
fn is_full(stream: &Info) -> bool {
    let config = &stream.config;
    let state = &stream.state;
    // No limit is written as -1.
    let limit = |limit: i64| u64::try_from(limit).unwrap_or(u64::MAX);
    let next = u64::try_from(config.max_message_size).unwrap_or_default();
    state.messages >= limit(config.max_messages) || state.bytes.saturating_add(next) > limit(config.max_bytes)
}
