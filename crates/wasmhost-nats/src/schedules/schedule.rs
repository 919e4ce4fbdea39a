//! The schedule of a delayed job: publishing it, looking it up, and removing it.

use bytes::Bytes;
use wasmhost_protocol::bounds;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::header;
use wasmhost_protocol::timestamp::Timestamp;

use super::room::room_for;
use crate::connect::Connection;
use crate::jobs::{PublishError, Published, job_publication, message_id};
use crate::message::{MessageSelector, read};
use crate::publication::publish;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;
use crate::streams::purge;

/// How long a due message may wait for room in the job stream: a week, so that a queue may be full over a holiday.
/// Hosts delete what they claim, so that this ends only what no host ever took.
const FIRED_TTL: &str = "168h";

/// The latest time for which a job can be scheduled.
#[must_use]
pub fn latest() -> Timestamp {
    bounds::TIME.max
}

/// Schedules the job for `at`, unless the schedule stream holds a schedule for it. A time that is past fires at once.
///
/// The stream drops a second schedule for the same revision of the record, even where the first one has fired.
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
    let message = job_publication(options, body)
        .header(header::MSG_ID, &message_id(key, options))
        .header(header::EXPECTED_STREAM, &names.schedules_stream())
        // Without it a second schedule on the subject would replace the first one.
        .header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, "0")
        .header(header::SCHEDULE, &format!("@at {at}"))
        .header(header::SCHEDULE_TARGET, &names.due(queue, key))
        .header(header::SCHEDULE_TTL, FIRED_TTL);
    let stored = publish(connection, &names.schedule(queue, key), message).await;
    stored.map(|ack| Published::of(&ack)).map_err(|failure| PublishError::new(key, failure))
}

/// Removes the job's schedule, in whichever queue it is, and says whether there was one.
pub async fn unschedule(connection: &Connection, key: &JobKey) -> Result<bool, ReadError> {
    let names = &connection.names;
    let stream = names.schedules_stream();
    let subject = names.schedule_anywhere(key);
    // Purging its subject is what cancels a schedule.
    Ok(purge(connection, &stream, &subject, None).await? > 0)
}

/// Reads the job's schedule, in whichever queue it is.
pub async fn schedule_of(connection: &Connection, key: &JobKey) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.schedule_anywhere(key);
    read(connection, &names.schedules_stream(), MessageSelector::LastOn(&subject)).await
}
