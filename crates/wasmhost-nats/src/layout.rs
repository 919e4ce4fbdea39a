//! The streams and buckets that the protocol needs: made where they are missing, compared setting by setting where
//! they exist. Nothing that exists is changed.

mod compare;
mod config;
mod consumer;
mod denied;
mod error;
mod payload;
mod wanted;

use std::time::Duration;

use async_nats::jetstream::context::{AccountErrorKind, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::Config;

use wasmhost_protocol::ids::QueueName;

use crate::codes::{NO_STREAM, OFF, stream_fix};
use crate::connect::Connection;

pub use compare::Difference;
pub use config::LayoutConfig;
pub use consumer::{QueueConsumer, ensure_consumer, inspect_consumer, restore_consumer};
pub use error::{LayoutError, Problem};
pub use payload::LEAST_PAYLOAD;

use denied::denied;
use error::collect;
pub(crate) use wanted::MODULE_HISTORY;

/// Looks for a stream that another host may be making.
const FOUND_TRIES: u32 = 5;
/// The pause between them.
const FOUND_PAUSE: Duration = Duration::from_millis(100);

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

/// How many consumers the account allows a stream with so many replicas; none: as many as the stream does, or it is not known.
async fn consumers_of_account(connection: &Connection, replicas: usize) -> Result<Option<i64>, LayoutError> {
    let error = match connection.jetstream.query_account().await {
        Ok(account) => {
            let tier = account.tiers.get(&format!("R{replicas}")).map(|tier| &tier.limits);
            let consumers = tier.unwrap_or(&account.limits).max_consumers;
            return Ok(consumers.filter(|consumers| *consumers > 0));
        }
        Err(error) => error,
    };
    match error.kind() {
        AccountErrorKind::JetStreamUnavailable => {
            Err(LayoutError::JetStreamOff("nothing answers its requests".to_owned()))
        }
        AccountErrorKind::JetStream(server) if OFF.contains(&server.error_code().0) => {
            Err(LayoutError::JetStreamOff(server.to_string()))
        }
        // A denied account query need not stop anybody; what else is wrong shows with the first stream.
        AccountErrorKind::JetStream(_) | AccountErrorKind::TimedOut | AccountErrorKind::Other => Ok(None),
    }
}

async fn make_stream(connection: &Connection, wanted: &Config, bytes: u64) -> Result<(), LayoutError> {
    let object = wanted.name.clone();
    let Err(error) = connection.jetstream.create_stream(wanted.clone()).await else { return Ok(()) };
    // Another host was faster, perhaps with other sizes; on a small server its reservation, still under way, leaves no room
    // for this one.
    for _ in 0..FOUND_TRIES {
        if let Some(found) = find(connection, &object).await? {
            let differences = compare::stream(&found, wanted);
            return if differences.is_empty() { Ok(()) } else { Err(LayoutError::of_settings(differences)) };
        }
        tokio::time::sleep(FOUND_PAUSE).await;
    }
    match error.kind() {
        CreateStreamErrorKind::JetStream(server) => {
            let fix = stream_fix(server.error_code().0, bytes);
            Err(LayoutError::refused(&object, server.to_string(), fix))
        }
        _ => Err(LayoutError::Unreachable { object, text: error.to_string() }),
    }
}

async fn find(connection: &Connection, name: &str) -> Result<Option<Config>, LayoutError> {
    match connection.jetstream.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(server) if server.error_code().0 == NO_STREAM => Ok(None),
            _ => Err(LayoutError::Unreachable { object: name.to_owned(), text: error.to_string() }),
        },
    }
}
