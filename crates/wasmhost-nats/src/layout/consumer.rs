//! The durable consumer of a queue, shared by all hosts that serve it.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Consumer, Info, PullConsumer, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use wasmhost_protocol::{QueueName, Timestamp, format_duration};

use super::{Difference, LayoutError, denied};
use crate::Connection;
use crate::clock::timestamp;

/// A queue's consumer.
#[derive(Debug, Clone)]
pub struct QueueConsumer {
    /// Its name.
    pub name: String,
    /// When it was created: deliveries are compared by it first.
    pub created: Timestamp,
    /// The consumer.
    pub pull: PullConsumer,
}

/// Makes the queue's consumer if it is missing; compares it if it exists.
pub async fn ensure_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<QueueConsumer, LayoutError> {
    let (consumer, differences) = look_at_consumer(connection, queue, ack_wait).await?;
    if differences.is_empty() { Ok(consumer) } else { Err(LayoutError::Differs(differences)) }
}

/// The same for who serves it already: the consumer as it is, and how it differs.
pub async fn look_at_consumer(
    connection: &Connection,
    queue: &QueueName,
    ack_wait: Duration,
) -> Result<(QueueConsumer, Vec<Difference>), LayoutError> {
    let name = connection.names.consumer(queue);
    let wanted = wanted(connection, queue, ack_wait);
    let pull = denied(connection, &name, get_or_create(connection, &name, &wanted)).await?;
    let info = pull.cached_info();
    let differences = differences(&connection.names.jobs_stream(), info, &wanted);
    Ok((QueueConsumer { name, created: timestamp(info.created), pull }, differences))
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
        ..pull::Config::default()
    }
}

async fn get_or_create(
    connection: &Connection,
    name: &str,
    wanted: &pull::Config,
) -> Result<Consumer<pull::Config>, LayoutError> {
    let stream = connection.names.jobs_stream();
    let unreachable = |text: String| LayoutError::Unreachable { object: name.to_owned(), text };
    let stream = connection
        .jetstream
        .get_stream_no_info(&stream)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    stream.get_or_create_consumer(name, wanted.clone()).await.map_err(|error| match error.kind() {
        ConsumerErrorKind::JetStream(server) => {
            LayoutError::Refused { object: name.to_owned(), text: server.to_string() }
        }
        _ => unreachable(error.to_string()),
    })
}

fn differences(stream: &str, found: &Info, wanted: &pull::Config) -> Vec<Difference> {
    let config = &found.config;
    let seconds = |duration| format_duration(duration);
    let settings = [
        ("filter_subject", config.filter_subject.clone(), wanted.filter_subject.clone(), Some("filter")),
        ("ack_policy", format!("{:?}", config.ack_policy), format!("{:?}", wanted.ack_policy), None),
        ("ack_wait", seconds(config.ack_wait), seconds(wanted.ack_wait), Some("wait")),
        ("max_deliver", config.max_deliver.to_string(), wanted.max_deliver.to_string(), Some("max-deliver")),
        (
            "max_ack_pending",
            config.max_ack_pending.to_string(),
            wanted.max_ack_pending.to_string(),
            Some("max-pending"),
        ),
        ("backoff", format!("{:?}", config.backoff), format!("{:?}", wanted.backoff), None),
        ("headers_only", config.headers_only.to_string(), wanted.headers_only.to_string(), None),
    ];
    let differing = settings.into_iter().filter(|(_, found, wanted, _)| found != wanted);
    let named = differing.map(|(field, found_text, wanted, flag)| Difference {
        object: found.name.clone(),
        field,
        found: found_text,
        command: match flag {
            Some(flag) => format!("nats consumer edit {stream} {} --{flag}={wanted}", found.name),
            None => format!("nats consumer rm {stream} {}", found.name),
        },
        wanted,
    });
    named.collect()
}
