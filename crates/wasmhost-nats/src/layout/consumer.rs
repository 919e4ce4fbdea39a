//! The durable pull consumer of a queue, which all hosts share that serve the queue.

use std::time::Duration;

use async_nats::jetstream::consumer::{self, AckPolicy, Consumer, IntoConsumerConfig, pull};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::{ConsumerErrorKind, Stream};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::timestamp::Timestamp;

use super::compare;
use super::denied::denied;
use super::difference::Difference;
use super::error::LayoutError;
use crate::connect::Connection;
use crate::fixes::consumer_refusal;

/// How many requests of hosts may wait for a queue's deliveries: a few of each host. The server's default is 512, and
/// an existing consumer's number cannot be changed.
const WAITING: i64 = 4_096;

/// The consumer of a queue.
#[derive(Debug, Clone)]
pub struct QueueConsumer {
    /// Its name.
    pub name: String,
    /// When it was created, cut to milliseconds. Deliveries are compared by this before they are compared by their
    /// counts.
    pub created: Timestamp,
}

/// Makes the queue's consumer if it is missing, and compares it with what the protocol needs if it exists.
pub async fn ensure_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<QueueConsumer, LayoutError> {
    let (consumer, differences) = inspect_consumer(connection, queue, ack_wait).await?;
    if differences.is_empty() { Ok(consumer) } else { Err(LayoutError::of_settings(differences)) }
}

/// Makes the queue's consumer if it is missing, and returns it as it is, with its differences from what the protocol
/// needs. It is for hosts that serve the queue already, and may go on with some differences.
///
/// # Errors
///
/// One that is no pull consumer is an error with its differences.
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

fn created(info: &consumer::Info) -> Timestamp {
    let ms = info.created.unix_timestamp_nanos().div_euclid(1_000_000);
    Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Compares the queue's consumer, of whichever kind it is, if it exists.
pub(super) async fn inspect(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<(), LayoutError> {
    let name = connection.names.consumer(queue);
    let info = async {
        let jobs = jobs_stream(connection, &name).await?;
        match jobs.consumer_info(&name).await {
            Ok(info) => Ok(Some(info)),
            Err(error) => match error.kind() {
                ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound => Ok(None),
                _ => Err(unreachable(&name, error)),
            },
        }
    };
    let Some(info) = denied(connection, &name, info).await? else { return Ok(()) };
    let differences = differences(connection, queue, &info.config, &wanted(connection, queue, ack_wait));
    if differences.is_empty() { Ok(()) } else { Err(LayoutError::of_settings(differences)) }
}

/// Deletes the queue's consumer and recreates it. Everything that is not acknowledged is delivered again, also what
/// the server had given up after a `max_deliver`; the protocol is made for that.
pub async fn restore_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<QueueConsumer, LayoutError> {
    let name = connection.names.consumer(queue);
    let deletion = async {
        let jobs = jobs_stream(connection, &name).await?;
        jobs.delete_consumer(&name).await.map(drop).map_err(|error| unreachable(&name, error))
    };
    denied(connection, &name, deletion).await?;
    ensure_consumer(connection, queue, ack_wait).await
}

/// The settings of a queue's consumer. Attempts are bounded by the record, concurrency by slots, and delays by
/// `not_before`, none of it by the server.
fn wanted(connection: &Connection, queue: &QueueName, ack_wait: Duration) -> pull::Config {
    pull::Config {
        durable_name: Some(connection.names.consumer(queue)),
        filter_subject: connection.names.jobs_of_queue(queue),
        ack_policy: AckPolicy::Explicit,
        ack_wait,
        // Beyond a bound the message would stay in the stream for ever, and no consumer would deliver it.
        max_deliver: -1,
        // Messages that were given back with a delay count: enough retries that wait would stop the queue.
        max_ack_pending: -1,
        max_waiting: WAITING,
        ..pull::Config::default()
    }
}

/// Gets the consumer, or makes it; none where it exists and is no pull consumer.
async fn get_or_create(
    connection: &Connection,
    name: &str,
    wanted: &pull::Config,
) -> Result<Option<Consumer<pull::Config>>, LayoutError> {
    let jobs = jobs_stream(connection, name).await?;
    match jobs.get_or_create_consumer(name, wanted.clone()).await {
        Ok(consumer) => Ok(Some(consumer)),
        Err(error) => match error.kind() {
            ConsumerErrorKind::InvalidConsumerType => Ok(None),
            ConsumerErrorKind::JetStream(server) => {
                let why = consumer_refusal(&connection.names.jobs_stream(), &server);
                Err(LayoutError::refused(name, why, None))
            }
            _ => Err(unreachable(name, error)),
        },
    }
}

/// The job stream, without a request. `consumer` names what is asked for in an error.
async fn jobs_stream(connection: &Connection, consumer: &str) -> Result<Stream<()>, LayoutError> {
    let opened = connection.jetstream.get_stream_no_info(connection.names.jobs_stream()).await;
    opened.map_err(|error| unreachable(consumer, error))
}

fn unreachable(object: &str, why: impl std::fmt::Display) -> LayoutError {
    LayoutError::Unreachable { object: object.to_owned(), text: why.to_string() }
}

fn differences(
    connection: &Connection,
    queue: &QueueName,
    found: &consumer::Config,
    wanted: &pull::Config,
) -> Vec<Difference> {
    let stream = connection.names.jobs_stream();
    let name = connection.names.consumer(queue);
    compare::consumer((&stream, &name), found, &wanted.clone().into_consumer_config())
}
