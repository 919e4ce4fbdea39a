//! Blobs that are let go of. What cannot be deleted now the reconciler finds, or the server removes when its time is over.

use std::time::Duration;

use futures::future::BoxFuture;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_nats::{Connection, limited};
use wasmhost_protocol::record::{BlobRef, End, JobState, Payload, Record};

use crate::life_cycle::LifeCycle;

/// How long a job that has ended waits for its blobs to be deleted, before its message is removed.
const DELETE_WITHIN: Duration = Duration::from_secs(5);

/// Deletes blobs before the message of a job that has ended is removed: whoever is cut short here is followed by another delivery.
pub(crate) async fn delete_all(connection: &Connection, names: impl IntoIterator<Item = String>) {
    let deleting = async {
        for name in names {
            blobs::delete(connection, &name).await?;
        }
        Ok::<_, ObjectError>(())
    };
    match tokio::time::timeout(DELETE_WITHIN, deleting).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            limited!(warn, %error, "a blob that nobody needs stays until the reconciler finds it")
        }
        Err(_) => limited!(warn, "blobs that nobody needs stay until the reconciler finds them"),
    }
}

/// Deletes the checkpoint of a job that has ended, whoever ended it.
pub(crate) async fn drop_checkpoint(connection: &Connection, record: Option<&Record>) {
    let ended = record.filter(|record| record.is_terminal());
    if let Some(checkpoint) = ended.and_then(|record| record.checkpoint.as_ref()) {
        delete_all(connection, [checkpoint.name.clone()]).await;
    }
}

/// Deletes, in the background, a blob that is still being stored: after that, since what is on its way would land behind it.
pub(crate) fn discard_after(
    connection: &Connection,
    life: &LifeCycle,
    name: String,
    storing: BoxFuture<'static, Result<BlobRef, ObjectError>>,
) {
    let connection = connection.clone();
    let draining = life.draining.clone();
    life.tracker.spawn(async move {
        tokio::select! {
            _ = storing => delete_all(&connection, [name]).await,
            () = draining.cancelled() => {}
        }
    });
}

/// Deletes, in the background, a blob that no record names or will name.
pub(crate) fn discard(connection: &Connection, life: &LifeCycle, name: String) {
    let connection = connection.clone();
    life.tracker.spawn(async move { delete_all(&connection, [name]).await });
}

/// The result of a job that ended, where it is a blob.
pub(crate) fn result_of(record: &Record) -> Option<&BlobRef> {
    match &record.stage {
        JobState::Ended { end: End::Success(Payload::Blob(blob)), .. } => Some(blob),
        JobState::Ended {
            end: End::Success(Payload::Inline(_)) | End::Failure(_) | End::Revoked, ..
        }
        | JobState::Pending { .. }
        | JobState::Running(_)
        | JobState::Retry { .. } => None,
    }
}
