//! Schedules: jobs that the server itself publishes when they are due.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use wasmhost_protocol::{JobKey, JobOptions, QueueName, Timestamp, header};

use crate::Connection;
use crate::jobs::{PublishError, QueuedMessage, job_headers};
use crate::message::{Place, ReadError, publish, read};

/// How long a fired message may wait for the job stream to take it.
const FIRED_TTL: &str = "168h";

/// Schedules the job for `at`; a schedule that stands for it is replaced.
pub async fn schedule_job(
    connection: &Connection,
    queue: &QueueName,
    key: &JobKey,
    options: &JobOptions,
    at: Timestamp,
    body: Bytes,
) -> Result<(), PublishError> {
    let names = &connection.names;
    let message = PublishMessage::build()
        .headers(job_headers(options))
        .payload(body)
        .header(header::EXPECTED_STREAM, names.schedules_stream().as_str())
        .header(header::SCHEDULE, format!("@at {at}").as_str())
        .header(header::SCHEDULE_TARGET, names.due(queue, key).as_str())
        .header(header::SCHEDULE_TTL, FIRED_TTL);
    let stored = publish(connection, &names.schedule(queue, key), message).await;
    stored.map(drop).map_err(|unstored| PublishError::new(key, unstored))
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
    match connection.denials.or_denied(&stream, answer).await {
        Ok(purged) => purged.map_err(unreachable),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

/// The job's schedule, in whichever queue.
pub async fn schedule_of(connection: &Connection, key: &JobKey) -> Result<Option<QueuedMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.schedule_anywhere(key);
    Ok(read(connection, &names.schedules_stream(), Place::LastOn(&subject)).await?.map(Into::into))
}

/// What the job's schedule fired. It stands for a while after the job stream took it; see [`sourcing`].
pub async fn due_of(connection: &Connection, key: &JobKey) -> Result<Option<QueuedMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.due_anywhere(key);
    Ok(read(connection, &names.schedules_stream(), Place::LastOn(&subject)).await?.map(Into::into))
}

/// How far the job stream is behind the due messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sourcing {
    /// Messages that it has not taken yet.
    pub lag: u64,
    /// How long ago it was in touch with the schedule stream; none: never.
    pub contact: Option<Duration>,
}

/// How far the job stream is behind the due messages.
pub async fn sourcing(connection: &Connection) -> Result<Sourcing, ReadError> {
    let stream = connection.names.jobs_stream();
    let answer = async {
        let stream = connection.jetstream.get_stream(&stream).await.map_err(|e| e.to_string())?;
        let info = stream.cached_info().sources.first().cloned();
        let info = info.ok_or_else(|| "the job stream has no source".to_owned())?;
        Ok(Sourcing { lag: info.lag, contact: info.active })
    };
    match connection.denials.or_denied(&stream, answer).await {
        Ok(sourcing) => sourcing.map_err(|text| ReadError::Unreachable { subject: stream.clone(), text }),
        Err(text) => Err(ReadError::Denied { subject: stream, text }),
    }
}
