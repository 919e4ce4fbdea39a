//! Reads from the bucket what both connections missed, at each reconnect and at the end. Only what was not overwritten since
//! is still there.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::watch;
use wasmhost_nats::Connection;

use super::listen::stopped;
use super::message::Stored;
use super::seen::Seen;
use crate::capture::{Entry, Span};
use crate::remaining::{self, ListError};

/// Revisions that are read at a time.
const READS: usize = 64;

/// Reads what was missed each time that the connection is made again.
pub(super) async fn at_each_reconnect(
    connection: Connection,
    seen: Arc<Seen>,
    first: u64,
    mut stop: watch::Receiver<bool>,
) {
    let Ok(wire) = connection.edge().await else { return };
    let mut connections = wire.changes();
    loop {
        // Both arms only wake this loop, so that dropping one loses nothing.
        tokio::select! {
            () = stopped(&mut stop) => return,
            changed = connections.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        // After this round trip the server has the subscriptions of the new connection.
        if wire.flush().await.is_err() {
            continue;
        }
        if let Err(error) = up_to_now(&connection, &seen, first).await {
            tracing::warn!(%error, "cannot read what was missed; trying again when it reconnects");
        }
    }
}

async fn up_to_now(connection: &Connection, seen: &Seen, first: u64) -> Result<(), ListError> {
    // The subscription was made again before this answer, so that it receives everything later.
    let last = remaining::last_revision(connection).await?;
    recover(connection, seen, Span { first, last }).await
}

/// Reads what is missing of the span, many revisions at a time: hosts overwrite them meanwhile.
pub(super) async fn recover(connection: &Connection, seen: &Seen, span: Span) -> Result<(), ListError> {
    let reads = seen.missing(span).into_iter().map(|number| read(connection, seen, number));
    stream::iter(reads).buffer_unordered(READS).try_collect().await
}

async fn read(connection: &Connection, seen: &Seen, number: u64) -> Result<(), ListError> {
    let Some(message) = remaining::revision_at(connection, number).await? else {
        seen.gone(number);
        return Ok(());
    };
    // A revision under a subject that names no job stays a gap, because it can be checked for no job.
    if let Ok(key) = connection.names.parse_state_subject(&message.subject) {
        let stored = Stored { key, revision: number, previous: None, stored_at: message.stored_at };
        seen.note(Entry::Revision(stored.revision(message.headers.as_ref().ok(), &message.payload)));
    }
    Ok(())
}
