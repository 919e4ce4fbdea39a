//! The durable consumer of a queue, shared by all hosts that serve it.

use std::time::Duration;

use async_nats::jetstream::consumer::{self, AckPolicy, Consumer, IntoConsumerConfig, pull};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::ConsumerErrorKind;
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::timestamp::Timestamp;

use super::compare;
use super::denied::denied;
use super::difference::Difference;
use super::error::LayoutError;
use crate::connect::Connection;
use crate::fixes::consumer_refusal;

/// Requests of hosts that wait for a queue's deliveries at a time: a few of each host. Not to be changed once the consumer is
/// made; 512 where none is named.
const WAITING: i64 = 4_096;

/// A queue's consumer.
#[derive(Debug, Clone)]
pub struct QueueConsumer {
    /// Its name.
    pub name: String,
    /// When it was created: deliveries are compared by it first.
    pub created: Timestamp,
}

/// Makes the queue's consumer if it is missing; compares it if it exists.
pub async fn ensure_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<QueueConsumer, LayoutError> {
    let (consumer, differences) = inspect_consumer(connection, queue, ack_wait).await?;
    if differences.is_empty() { Ok(consumer) } else { Err(LayoutError::of_settings(differences)) }
}

/// The same for who serves it already: the consumer as it is, and how it differs. One that cannot be pulled from is an
/// error that says how.
pub async fn inspect_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<(QueueConsumer, Vec<Difference>), LayoutError> {
    let name = connection.names.consumer(queue);
    let wanted = wanted(connection, queue, ack_wait);
    let Some(pull) = denied(connection, &name, get_or_create(connection, &name, &wanted)).await? else {
        inspect(connection, queue, ack_wait).await?;
        let text = "it is no pull consumer, and no setting of it says why".to_owned();
        return Err(LayoutError::Unreachable { object: name, text });
    };
    let info = pull.cached_info();
    let differences = differences(connection, queue, &info.config, &wanted);
    Ok((QueueConsumer { name, created: created(info) }, differences))
}

/// When the consumer was created, cut to milliseconds.
fn created(info: &consumer::Info) -> Timestamp {
    let ms = info.created.unix_timestamp_nanos().div_euclid(1_000_000);
    Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Compares the queue's consumer, of whichever sort, if there is one.
pub(super) async fn inspect(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<(), LayoutError> {
    let (stream, name) = (connection.names.jobs_stream(), connection.names.consumer(queue));
    let unreachable = |text: String| LayoutError::Unreachable { object: name.clone(), text };
    let looking = async {
        let opened = connection.jetstream.get_stream_no_info(&stream).await;
        let opened = opened.map_err(|error| unreachable(error.to_string()))?;
        match opened.consumer_info(&name).await {
            Ok(info) => Ok(Some(info)),
            Err(error) => match error.kind() {
                ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound => Ok(None),
                _ => Err(unreachable(error.to_string())),
            },
        }
    };
    let Some(info) = denied(connection, &name, looking).await? else { return Ok(()) };
    let differences = differences(connection, queue, &info.config, &wanted(connection, queue, ack_wait));
    if differences.is_empty() { Ok(()) } else { Err(LayoutError::of_settings(differences)) }
}

/// Makes the queue's consumer anew. The protocol bears it: what is not acknowledged is delivered again, what was given up
/// after a `max_deliver` too.
pub async fn restore_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<QueueConsumer, LayoutError> {
    let (stream, name) = (connection.names.jobs_stream(), connection.names.consumer(queue));
    let unreachable = |text: String| LayoutError::Unreachable { object: name.clone(), text };
    let deleting = async {
        let opened = connection.jetstream.get_stream_no_info(&stream).await;
        let opened = opened.map_err(|error| unreachable(error.to_string()))?;
        opened.delete_consumer(&name).await.map(drop).map_err(|error| unreachable(error.to_string()))
    };
    denied(connection, &name, deleting).await?;
    ensure_consumer(connection, queue, ack_wait).await
}

/// Attempts are bounded in the record, concurrency by slots, delays by `not_before`: none of it by the server.
fn wanted(connection: &Connection, queue: &QueueName, ack_wait: Duration) -> pull::Config {
    pull::Config {
        durable_name: Some(connection.names.consumer(queue)),
        filter_subject: connection.names.jobs_of_queue(queue),
        ack_policy: AckPolicy::Explicit,
        ack_wait,
        max_deliver: -1,
        max_ack_pending: -1,
        max_waiting: WAITING,
        ..pull::Config::default()
    }
}

/// None: there is one, and it is no pull consumer.
async fn get_or_create(
    connection: &Connection,
    name: &str,
    wanted: &pull::Config,
) -> Result<Option<Consumer<pull::Config>>, LayoutError> {
    let stream = connection.names.jobs_stream();
    let unreachable = |text: String| LayoutError::Unreachable { object: name.to_owned(), text };
    let opened = connection.jetstream.get_stream_no_info(&stream).await;
    let opened = opened.map_err(|error| unreachable(error.to_string()))?;
    match opened.get_or_create_consumer(name, wanted.clone()).await {
        Ok(consumer) => Ok(Some(consumer)),
        Err(error) => match error.kind() {
            ConsumerErrorKind::InvalidConsumerType => Ok(None),
            ConsumerErrorKind::JetStream(server) => {
                Err(LayoutError::refused(name, consumer_refusal(&stream, &server), None))
            }
            _ => Err(unreachable(error.to_string())),
        },
    }
}

fn differences(
    connection: &Connection,
    queue: &QueueName,
    found: &consumer::Config,
    wanted: &pull::Config,
) -> Vec<Difference> {
    let (stream, name) = (connection.names.jobs_stream(), connection.names.consumer(queue));
    compare::consumer((&stream, &name), found, &wanted.clone().into_consumer_config())
}
