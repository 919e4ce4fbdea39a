//! One stream on the server: whether it exists, and making it.

use std::time::Duration;

use async_nats::jetstream::context::{AccountErrorKind, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::Config;

use super::compare;
use super::error::LayoutError;
use crate::codes::{NO_STREAM, OFF};
use crate::connect::Connection;
use crate::fixes::stream_fix;

/// How often a stream is looked for that another host may be making.
const FIND_TRIES: u32 = 5;
/// The pause between two of these tries.
const FIND_PAUSE: Duration = Duration::from_millis(100);

/// How many consumers the account allows a stream with so many replicas; none where it has no limit, or it is not
/// known.
pub(super) async fn consumers_of_account(
    connection: &Connection,
    replicas: usize,
) -> Result<Option<i64>, LayoutError> {
    let error = match connection.jetstream.query_account().await {
        Ok(account) => {
            // An account may have limits for each number of replicas instead of common ones.
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
        // A denied account query is no reason to stop; anything else that is wrong shows with the first stream.
        AccountErrorKind::JetStream(_) | AccountErrorKind::TimedOut | AccountErrorKind::Other => Ok(None),
    }
}

/// Makes a stream. `bytes` is what all missing streams reserve together.
pub(super) async fn make_stream(
    connection: &Connection,
    wanted: &Config,
    bytes: u64,
) -> Result<(), LayoutError> {
    let object = wanted.name.clone();
    let Err(error) = connection.jetstream.create_stream(wanted.clone()).await else { return Ok(()) };
    // Another host that starts at the same time may have been faster, perhaps with other sizes. On a small server the
    // room that it reserves is missing here before its stream is there.
    for _ in 0..FIND_TRIES {
        if let Some(found) = find(connection, &object).await? {
            let differences = compare::stream(&found, wanted);
            return if differences.is_empty() { Ok(()) } else { Err(LayoutError::of_settings(differences)) };
        }
        tokio::time::sleep(FIND_PAUSE).await;
    }
    match error.kind() {
        CreateStreamErrorKind::JetStream(server) => {
            let fix = stream_fix(server.error_code().0, bytes);
            Err(LayoutError::refused(&object, server.to_string(), fix))
        }
        _ => Err(LayoutError::Unreachable { object, text: error.to_string() }),
    }
}

/// Reads the settings of a stream; none where there is no such stream.
pub(super) async fn find(connection: &Connection, name: &str) -> Result<Option<Config>, LayoutError> {
    match connection.jetstream.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(server) if server.error_code().0 == NO_STREAM => Ok(None),
            _ => Err(LayoutError::Unreachable { object: name.to_owned(), text: error.to_string() }),
        },
    }
}
