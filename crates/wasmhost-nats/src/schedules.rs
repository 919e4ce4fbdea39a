//! Schedules: jobs that the server itself publishes when they are due.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, Info};
use bytes::Bytes;
use wasmhost_protocol::bounds;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::{Names, header};
use wasmhost_protocol::timestamp::Timestamp;

use crate::connect::Connection;
use crate::jobs::{PublishError, Published, job_headers, message_id};
use crate::layout::LayoutConfig;
use crate::message::{MessageSelector, ReadError, publish, read};
use crate::stored::StoredMessage;

/// How long a fired message may wait for a full job stream: long enough for a queue that stands over a holiday. What ran is
/// deleted by its host, so that this ends only what nobody ever came for.
const FIRED_TTL: &str = "168h";

/// More than the subject and the headers of a schedule take.
const HEADER_BYTES: usize = 1 << 10;

/// No job can be scheduled for later.
#[must_use]
pub fn latest() -> Timestamp {
    bounds::TIME.most
}

/// Schedules the job for `at`, unless a schedule stands for it; a time that is past fires at once. The stream drops a
/// second schedule for the same revision of the record, fired or not.
pub async fn schedule_job(
    connection: &Connection,
    queue: &QueueName,
    key: &JobKey,
    options: &JobOptions,
    at: Timestamp,
    body: Bytes,
) -> Result<Published, PublishError> {
    room_for(connection, key, body.len()).await?;
    let names = &connection.names;
    let message = PublishMessage::build()
        .headers(job_headers(options))
        .payload(body)
        .header(header::MSG_ID, message_id(key, options).as_str())
        .header(header::EXPECTED_STREAM, names.schedules_stream().as_str())
        .header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, "0")
        .header(header::SCHEDULE, format!("@at {at}").as_str())
        .header(header::SCHEDULE_TARGET, names.due(queue, key).as_str())
        .header(header::SCHEDULE_TTL, FIRED_TTL);
    let stored = publish(connection, &names.schedule(queue, key), message).await;
    stored.map(|ack| Published::of(&ack)).map_err(|unstored| PublishError::new(key, unstored))
}

/// Whether there is room for one more. The schedule stream takes whatever it is sent, since a limit of its own would make
/// the server drop the oldest schedules instead of refusing the newest: so its limit is kept here, and a few that come at
/// the same time may go over it, and cost nobody a schedule.
async fn room_for(connection: &Connection, key: &JobKey, body_bytes: usize) -> Result<(), PublishError> {
    let name = connection.names.schedules_stream();
    let needed = u64::try_from(body_bytes + HEADER_BYTES).unwrap_or(u64::MAX);
    let answer = async {
        let stream = connection.jetstream.get_stream(&name).await.map_err(|error| error.to_string())?;
        let info = stream.cached_info();
        Ok((info.state.bytes, most_bytes(&info.config)))
    };
    let (key, answer) = (key.clone(), connection.denials.or_denied(&Names::stream_info(&name), answer).await);
    match answer {
        Ok(Ok((bytes, max_bytes))) if bytes.saturating_add(needed) <= max_bytes => Ok(()),
        Ok(Ok((bytes, max_bytes))) => {
            Err(PublishError::Full { key, text: format!("{name} holds {bytes} of {max_bytes} bytes") })
        }
        Ok(Err(text)) => Err(PublishError::Unknown { key, text }),
        Err(text) => Err(PublishError::Denied { key, text }),
    }
}

/// How much schedules may take together: as the stream's maker wrote it down.
fn most_bytes(config: &Config) -> u64 {
    let written = config.metadata.get(Names::SCHEDULES_MAX_BYTES).and_then(|bytes| bytes.parse().ok());
    let limit = u64::try_from(config.max_bytes).ok().filter(|bytes| *bytes > 0);
    let default = LayoutConfig::default().schedules_max_bytes.unsigned_abs();
    written.into_iter().chain(limit).min().unwrap_or(default)
}

/// Removes the job's schedule, in whichever queue; whether there was one.
pub async fn unschedule(connection: &Connection, key: &JobKey) -> Result<bool, ReadError> {
    let names = &connection.names;
    let (stream, subject) = (names.schedules_stream(), names.schedule_anywhere(key));
    let unreachable = |text: String| ReadError::Unreachable { subject: subject.clone(), text };
    let answer = async {
        let stream = connection.jetstream.get_stream_no_info(&stream).await.map_err(|e| e.to_string())?;
        let purged = stream.purge().filter(subject.as_str()).await.map_err(|e| e.to_string())?;
        Ok(purged.purged > 0)
    };
    match connection.denials.or_denied(&Names::stream_purge(&stream), answer).await {
        Ok(purged) => purged.map_err(unreachable),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

/// The job's schedule, in whichever queue.
pub async fn schedule_of(connection: &Connection, key: &JobKey) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.schedule_anywhere(key);
    read(connection, &names.schedules_stream(), MessageSelector::LastOn(&subject)).await
}

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
