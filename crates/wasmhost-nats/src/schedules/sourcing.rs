//! How far the job stream is behind the due messages.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use wasmhost_protocol::names::Names;

use crate::connect::Connection;
use crate::read_error::ReadError;

/// How far the job stream is behind the due messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sourcing {
    /// Messages that it has not taken yet.
    pub lag: u64,
    /// How long ago it was in touch with the schedule stream; none: never.
    pub contact: Option<Duration>,
    /// Whether it may have no room for the next message. It then takes none, and still claims neither lag nor silence.
    pub full: bool,
}

impl Sourcing {
    /// A source that has said nothing for so long may have lost its stream.
    const CONTACT: Duration = Duration::from_secs(20);

    /// Whether the job stream seems to have taken all that it can: a hint, for it may be held up without knowing.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lag == 0 && !self.full && self.contact.is_some_and(|contact| contact <= Self::CONTACT)
    }
}

/// How far the job stream is behind the due messages.
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

fn is_full(stream: &Info) -> bool {
    let (config, state) = (&stream.config, &stream.state);
    // No limit is written as -1.
    let limit = |limit: i64| u64::try_from(limit).unwrap_or(u64::MAX);
    let next = u64::try_from(config.max_message_size).unwrap_or_default();
    state.messages >= limit(config.max_messages) || state.bytes.saturating_add(next) > limit(config.max_bytes)
}
