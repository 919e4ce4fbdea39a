//! Making what is missing and comparing what exists.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use wasmhost_protocol::ids::QueueName;

use super::compare;
use super::config::LayoutConfig;
use super::consumer::{self, QueueConsumer, ensure_consumer};
use super::denied::denied;
use super::error::{LayoutError, Problem, collect};
use super::payload;
use super::streams::{consumers_of_account, find, make_stream};
use super::wanted;
use crate::connect::Connection;

/// Makes the streams and buckets that are missing, and compares those that exist.
pub async fn ensure_layout(connection: &Connection, config: &LayoutConfig) -> Result<(), LayoutError> {
    ensure_deployment(connection, config, &[], Duration::ZERO).await.map(drop)
}

/// The same with the consumers of these queues. Everything is looked at before anything is made, and all that does not do
/// is told together.
pub async fn ensure_deployment(
    connection: &Connection,
    config: &LayoutConfig,
    queues: &[QueueName],
    ack_wait: Duration,
) -> Result<Vec<QueueConsumer>, LayoutError> {
    let consumers = consumers_of_account(connection, config.replicas).await?;
    let mut problems: Vec<_> = payload::difference(connection).into_iter().map(Problem::Setting).collect();
    let (mut missing, mut is_first_start) = (Vec::new(), true);
    for wanted in wanted::streams(&connection.names, config, consumers) {
        match denied(connection, &wanted.name, find(connection, &wanted.name)).await? {
            Some(found) => {
                is_first_start = false;
                problems.extend(compare::stream(&found, &wanted).into_iter().map(Problem::Setting))
            }
            None => missing.push(wanted),
        }
    }
    for queue in queues {
        let looked = consumer::inspect(connection, queue, ack_wait).await;
        collect(looked, &mut problems)?;
    }
    if !problems.is_empty() {
        let missing = missing.into_iter().filter(|_| !is_first_start);
        problems.extend(missing.map(|wanted| Problem::Missing(wanted.name)));
        return Err(LayoutError::Problems(problems));
    }
    make(connection, &missing, queues, ack_wait).await
}

async fn make(
    connection: &Connection,
    missing: &[Config],
    queues: &[QueueName],
    ack_wait: Duration,
) -> Result<Vec<QueueConsumer>, LayoutError> {
    let (mut problems, mut consumers) = (Vec::new(), Vec::new());
    let bounds = missing.iter().filter_map(|wanted| u64::try_from(wanted.max_bytes).ok());
    let bytes = bounds.sum();
    for wanted in missing {
        let made = denied(connection, &wanted.name, make_stream(connection, wanted, bytes)).await;
        collect(made, &mut problems)?;
    }
    // Without their stream they would each be refused for nothing.
    if problems.is_empty() {
        for queue in queues {
            let ensured = ensure_consumer(connection, queue, ack_wait).await;
            consumers.extend(collect(ensured, &mut problems)?);
        }
    }
    if problems.is_empty() { Ok(consumers) } else { Err(LayoutError::Problems(problems)) }
}
