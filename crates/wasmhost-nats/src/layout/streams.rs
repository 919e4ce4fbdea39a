//! Streams on the server: found, and made.

use std::time::Duration;

use async_nats::jetstream::context::{AccountErrorKind, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::Config;

use super::compare;
use super::error::LayoutError;
use crate::codes::{NO_STREAM, OFF};
use crate::connect::Connection;
use crate::fixes::stream_fix;

/// Looks for a stream that another host may be making.
const FOUND_TRIES: u32 = 5;
/// The pause between them.
const FOUND_PAUSE: Duration = Duration::from_millis(100);

/// How many consumers the account allows a stream with so many replicas; none: as many as the stream does, or it is not known.
pub(super) async fn consumers_of_account(
    connection: &Connection,
    replicas: usize,
) -> Result<Option<i64>, LayoutError> {
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

pub(super) async fn make_stream(
    connection: &Connection,
    wanted: &Config,
    bytes: u64,
) -> Result<(), LayoutError> {
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

pub(super) async fn find(connection: &Connection, name: &str) -> Result<Option<Config>, LayoutError> {
    match connection.jetstream.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(server) if server.error_code().0 == NO_STREAM => Ok(None),
            _ => Err(LayoutError::Unreachable { object: name.to_owned(), text: error.to_string() }),
        },
    }
}
