//! Making what is missing, and comparing what exists.

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

/// Makes the streams and buckets that are missing, and compares those that exist with what the protocol needs.
pub async fn ensure_layout(connection: &Connection, config: &LayoutConfig) -> Result<(), LayoutError> {
    ensure_deployment(connection, config, &[], Duration::ZERO).await.map(drop)
}

/// Makes the streams, the buckets and the consumers of these queues that are missing, and compares those that exist.
/// Nothing is made unless everything that exists is as required, and the error has all problems.
pub async fn ensure_deployment(
    connection: &Connection,
    config: &LayoutConfig,
    queues: &[QueueName],
    ack_wait: Duration,
) -> Result<Vec<QueueConsumer>, LayoutError> {
    let consumers = consumers_of_account(connection, config.replicas).await?;
    let mut problems: Vec<_> = payload::difference(connection).into_iter().map(Problem::Setting).collect();
    let wanted = wanted::streams(&connection.names, config, consumers);
    let all = wanted.len();
    let missing = compare_streams(connection, wanted, &mut problems).await?;
    for queue in queues {
        let inspected = consumer::inspect(connection, queue, ack_wait).await;
        collect(inspected, &mut problems)?;
    }
    if problems.is_empty() {
        return make(connection, &missing, queues, ack_wait).await;
    }
    // At the first start all of them are missing, which is no problem.
    if missing.len() < all {
        problems.extend(missing.into_iter().map(|wanted| Problem::Missing(wanted.name)));
    }
    Err(LayoutError::Problems(problems))
}

/// Compares the streams that exist, and returns those that are missing.
async fn compare_streams(
    connection: &Connection,
    wanted: Vec<Config>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Config>, LayoutError> {
    let mut missing = Vec::new();
    for wanted in wanted {
        match denied(connection, &wanted.name, find(connection, &wanted.name)).await? {
            Some(found) => {
                problems.extend(compare::stream(&found, &wanted).into_iter().map(Problem::Setting))
            }
            None => missing.push(wanted),
        }
    }
    Ok(missing)
}

async fn make(
    connection: &Connection,
    missing: &[Config],
    queues: &[QueueName],
    ack_wait: Duration,
) -> Result<Vec<QueueConsumer>, LayoutError> {
    let mut problems = Vec::new();
    let mut consumers = Vec::new();
    let bounds = missing.iter().filter_map(|wanted| u64::try_from(wanted.max_bytes).ok());
    let bytes = bounds.sum();
    for wanted in missing {
        let made = denied(connection, &wanted.name, make_stream(connection, wanted, bytes)).await;
        collect(made, &mut problems)?;
    }
    // Without the job stream each consumer would be refused, and each refusal would be one more problem.
    if problems.is_empty() {
        for queue in queues {
            let ensured = ensure_consumer(connection, queue, ack_wait).await;
            consumers.extend(collect(ensured, &mut problems)?);
        }
    }
    if problems.is_empty() { Ok(consumers) } else { Err(LayoutError::Problems(problems)) }
}
