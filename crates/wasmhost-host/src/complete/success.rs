//! Recording a result: in the record, or, where it is too large for that, in a blob that is stored before the record names it and
//! lives longer than it.

use bytes::Bytes;
use tokio::time::Instant;
use wasmhost_nats::blobs::{self, Life};
use wasmhost_nats::{fault, limited};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::record::{Payload, Record};

use super::Completion;
use super::result_blob::{ResultBlob, Unstored, margin};
use crate::blobs::{discard, result_of};

impl Completion<'_> {
    /// What is recorded of a result. None where the record is another's, or the host leaves.
    pub(super) async fn success(&mut self, result: Json) -> Option<Transition> {
        let asked_ttl = self.lease().delivery().options.result_ttl;
        if asked_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Some(self.succeeded(Payload::Inline(Json::null())));
        }
        if result.as_str().len() <= Limits::INLINE_RESULT_BYTES {
            return Some(self.succeeded(Payload::Inline(result)));
        }
        self.success_in_blob(&result).await
    }

    /// The same where the record takes no result of this size.
    pub(super) async fn success_in_blob(&mut self, result: &Json) -> Option<Transition> {
        let name = self.lease().blob_name("result");
        let bytes = Bytes::from(result.as_str().to_owned());
        match self.store(name, bytes).await {
            Ok(payload) => Some(self.succeeded(payload)),
            Err(Unstored::Revoked) => Some(self.revoked()),
            Err(Unstored::Gone) => None,
        }
    }

    async fn store(&mut self, name: String, bytes: Bytes) -> Result<Payload, Unstored> {
        let connection = self.lease().connection().clone();
        let life = Life::For(self.attempt.result_ttl().saturating_add(margin()));
        let again = self.blob.is_some();
        let mut blocked = None;
        loop {
            let since = Instant::now();
            let storing = async {
                if again {
                    blobs::replace(&connection, &name, bytes.clone(), life).await
                } else {
                    blobs::put(&connection, &name, bytes.clone(), life).await
                }
            };
            match self.attempt.lease.keep_while(storing).await {
                Ok(blob) => {
                    self.blob = Some(ResultBlob { name, bytes, since });
                    fault::point("after-blob");
                    return Ok(Payload::Blob(blob));
                }
                Err(error) => {
                    let key = &self.lease().delivery().key;
                    limited!(error, job.key = %key, %error, "could not store a result");
                    blocked.get_or_insert_with(|| self.completer.blocked_writes.register());
                }
            }
            self.keep_outcome().await.ok_or(Unstored::Gone)?;
            if self.lease().is_revoked() {
                return Err(Unstored::Revoked);
            }
        }
    }

    /// Until when the write of `record` must have landed, so that its result outlives it. None: it names none.
    pub(super) fn write_until(&self, record: &Record) -> Option<Instant> {
        let named = result_of(record)?;
        let stored = self.blob.as_ref().filter(|stored| stored.name == named.name)?;
        Some(stored.since + margin())
    }

    /// Stores the result anew, under its name: whichever write of its record lands, the record names it.
    pub(super) async fn store_again(&mut self) -> Result<(), Unstored> {
        let Some(ResultBlob { name, bytes, .. }) = &self.blob else { return Ok(()) };
        self.store(name.clone(), bytes.clone()).await.map(drop)
    }

    /// Deletes the result that no record names.
    pub(super) fn discard_blob(&mut self) {
        if let Some(stored) = self.blob.take() {
            discard(self.lease().connection(), &self.completer.life, stored.name);
        }
    }

    /// The name of a result that the recorded end does not name.
    pub(super) fn unnamed_blob(&mut self) -> Option<String> {
        let stored = self.blob.take()?;
        let named = result_of(self.lease().record()).is_some_and(|blob| blob.name == stored.name);
        (!named).then_some(stored.name)
    }
}
