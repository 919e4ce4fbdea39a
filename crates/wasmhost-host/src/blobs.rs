//! Deleting blobs that nobody needs any more. What cannot be deleted now is found by the reconciler, or removed by the server
//! when its time to live is over.

use std::time::Duration;

use futures::future::BoxFuture;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_nats::{Connection, limited};
use wasmhost_protocol::record::{BlobRef, Record};

use crate::life_cycle::LifeCycle;

/// How long a job that has ended waits for its blobs to be deleted, before its message is removed without that.
const DELETE_WITHIN: Duration = Duration::from_secs(5);

/// Deletes blobs of a job that has ended. It is called before the job's message is removed: when the host dies here, the message
/// brings another host, which deletes them.
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
            limited!(warn, %error, "could not delete a blob that nobody needs; the reconciler will find it")
        }
        Err(_) => {
            limited!(warn, "could not delete blobs in time that nobody needs; the reconciler will find them")
        }
    }
}

/// Deletes the checkpoint of a job that has ended, whoever ended it.
pub(crate) async fn drop_checkpoint(connection: &Connection, record: Option<&Record>) {
    let ended = record.filter(|record| record.is_terminal());
    if let Some(checkpoint) = ended.and_then(|record| record.checkpoint.as_ref()) {
        delete_all(connection, [checkpoint.name.clone()]).await;
    }
}

/// Deletes a blob that is still being stored, in the background and only once it is stored: what is on its way would arrive after
/// an earlier deletion, and stay.
pub(crate) fn discard_after(
    connection: &Connection,
    life: &LifeCycle,
    name: String,
    storing: BoxFuture<'static, Result<BlobRef, ObjectError>>,
) {
    let connection = connection.clone();
    let handing_off = life.handing_off.clone();
    life.tracker.spawn(async move {
        tokio::select! {
            _ = storing => delete_all(&connection, [name]).await,
            // A host that leaves does not wait for a slow store: the reconciler of another one finds the blob.
            () = handing_off.cancelled() => {}
        }
    });
}

/// Deletes a blob that no record names or will name, in the background.
pub(crate) fn discard(connection: &Connection, life: &LifeCycle, name: String) {
    let connection = connection.clone();
    life.tracker.spawn(async move { delete_all(&connection, [name]).await });
}
