//! Recording a result: in the record, or, where it is too large for that, as a blob that is stored before the record names it and
//! that outlives the record ([R10](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r10-result)).

use bytes::Bytes;
use tokio::time::Instant;
use wasmhost_nats::blobs::{self, Life};
use wasmhost_nats::{fault, limited};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::record::{Payload, Record};

use super::completion::Completion;
use super::result_blob::{NotStored, ResultBlob, margin};
use crate::blobs::discard;

impl Completion<'_> {
    /// Returns the transition that records a result. None where the record is another's, or the host leaves.
    pub(super) async fn success(&mut self, result: Json) -> Option<Transition> {
        let asked_ttl = self.lease().delivery().options.result_ttl;
        // Zero asks to drop the result.
        if asked_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Some(self.succeeded(Payload::Inline(Json::null())));
        }
        if result.as_str().len() <= Limits::INLINE_RESULT_BYTES {
            return Some(self.succeeded(Payload::Inline(result)));
        }
        // Boxed, as everything here that few jobs need: each job's future has room for all that it awaits.
        Box::pin(self.success_in_blob(&result)).await
    }

    /// Stores a result as a blob, and returns the transition that records it.
    pub(super) async fn success_in_blob(&mut self, result: &Json) -> Option<Transition> {
        let name = self.lease().blob_name("result");
        let bytes = Bytes::from(result.as_str().to_owned());
        match self.store(name, bytes).await {
            Ok(payload) => Some(self.succeeded(payload)),
            Err(NotStored::Revoked) => Some(self.revoked()),
            Err(NotStored::NotOurs) => None,
        }
    }

    /// Stores the bytes under a name, and tries until the store has room for them.
    async fn store(&mut self, name: String, bytes: Bytes) -> Result<Payload, NotStored> {
        let connection = self.lease().connection().clone();
        let life = Life::For(self.attempt.result_ttl().saturating_add(margin()));
        // A record may name the blob of an earlier storing already: its readers must find it whole at any time.
        let is_named = self.blob.is_some();
        let mut blocked = None;
        loop {
            // The time before the storing: the blob's time to live begins at some moment after it.
            let since = Instant::now();
            let storing = async {
                if is_named {
                    blobs::replace(&connection, &name, bytes.clone(), life).await
                } else {
                    blobs::put(&connection, &name, bytes.clone(), life).await
                }
            };
            match self.attempt.lease.keep_alive_while(storing).await {
                Ok(blob) => {
                    self.blob = Some(ResultBlob { name, bytes, since });
                    // A host that dies here leaves a blob that expires by itself.
                    fault::point("after-blob");
                    return Ok(Payload::Blob(blob));
                }
                Err(error) => {
                    let key = &self.lease().delivery().key;
                    limited!(error, job.key = %key, %error, "could not store a result");
                    blocked.get_or_insert_with(|| self.blocked_writes.register());
                }
            }
            self.keep_outcome().await.ok_or(NotStored::NotOurs)?;
            if self.lease().is_revoked() {
                return Err(NotStored::Revoked);
            }
        }
    }

    /// Returns until when the write of `record` must have been stored, so that its result outlives it; none where the record names
    /// no blob.
    pub(super) fn write_deadline(&self, record: &Record) -> Option<Instant> {
        let named = record.result_blob()?;
        let stored = self.blob.as_ref().filter(|stored| stored.name == named.name)?;
        Some(stored.since + margin())
    }

    /// Stores the result anew, under the same name: whichever write of its record is stored in the end, the record names it.
    pub(super) async fn store_again(&mut self) -> Result<(), NotStored> {
        let Some(ResultBlob { name, bytes, .. }) = &self.blob else { return Ok(()) };
        self.store(name.clone(), bytes.clone()).await.map(drop)
    }

    /// Deletes a result that no record names.
    pub(super) fn discard_blob(&mut self) {
        if let Some(stored) = self.blob.take() {
            discard(self.lease().connection(), self.life, stored.name);
        }
    }

    /// Returns the name of a stored result that the terminal record does not name.
    pub(super) fn unnamed_blob(&mut self) -> Option<String> {
        let stored = self.blob.take()?;
        let named = self.lease().record().result_blob().is_some_and(|blob| blob.name == stored.name);
        (!named).then_some(stored.name)
    }
}
