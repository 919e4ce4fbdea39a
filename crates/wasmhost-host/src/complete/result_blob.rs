//! Results that are too large for a record (R10): a blob, which precedes the record and outlives it.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmhost_nats::blobs::{self, Life};
use wasmhost_nats::{fault, limited};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::record::{End, Payload, Record};

use super::{finish, revoked};
use crate::blobs::{discard, result_of};
use crate::lease::Lease;

/// How much longer than its record a result lives: so long its record may take to be written.
const MARGIN: Duration = Duration::from_secs(120);

/// A result in the blob store.
pub(crate) struct StoredResult {
    name: String,
    bytes: Bytes,
    /// From then on its record must be written within the margin.
    since: Instant,
}

/// Why a result was not stored.
pub(super) enum Unstored {
    /// The job was revoked meanwhile.
    Revoked,
    /// The record is another's, or the host leaves.
    Gone,
}

impl Lease {
    /// What a result that is recorded comes to. None where the record is another's, or the host leaves.
    pub(super) async fn success(&mut self, result: Json, outcome: &Outcome) -> Option<Transition> {
        if self.delivery.options.result_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Some(finish(End::Success(Payload::Inline(Json::null())), outcome, Vec::new()));
        }
        if result.as_str().len() <= Limits::INLINE_RESULT_BYTES {
            return Some(finish(End::Success(Payload::Inline(result)), outcome, Vec::new()));
        }
        self.success_in_blob(&result, outcome).await
    }

    /// The same where the record takes no result of this size.
    pub(super) async fn success_in_blob(&mut self, result: &Json, outcome: &Outcome) -> Option<Transition> {
        let (name, bytes) = (self.blob_name("result"), Bytes::from(result.as_str().to_owned()));
        match self.store(name, bytes).await {
            Ok(payload) => Some(finish(End::Success(payload), outcome, Vec::new())),
            Err(Unstored::Revoked) => Some(revoked(outcome)),
            Err(Unstored::Gone) => None,
        }
    }

    async fn store(&mut self, name: String, bytes: Bytes) -> Result<Payload, Unstored> {
        let connection = self.host.connection.clone();
        let life = Life::For(self.result_ttl().saturating_add(margin()));
        let again = self.result.is_some();
        let mut waiting = None;
        loop {
            let (since, bytes) = (Instant::now(), bytes.clone());
            let storing = async {
                if again {
                    blobs::replace(&connection, &name, bytes.clone(), life).await
                } else {
                    blobs::put(&connection, &name, bytes.clone(), life).await
                }
            };
            match self.hold_on_while(storing).await {
                Ok(blob) => {
                    self.result = Some(StoredResult { name, bytes, since });
                    fault::point("after-blob");
                    return Ok(Payload::Blob(blob));
                }
                Err(error) => {
                    limited!(error, job.key = %self.delivery.key, %error, "could not store a result");
                    waiting.get_or_insert_with(|| self.host.blocked_writes.register());
                }
            }
            self.keep_outcome().await.ok_or(Unstored::Gone)?;
            if self.record.revoke.is_some() {
                return Err(Unstored::Revoked);
            }
        }
    }

    /// Until when the write of `record` must have landed, so that its result outlives it. None: it names none.
    pub(super) fn write_until(&self, record: &Record) -> Option<Instant> {
        let named = result_of(record)?;
        let stored = self.result.as_ref().filter(|stored| stored.name == named.name)?;
        Some(stored.since + margin())
    }

    /// Stores the result anew, under its name: whichever write of its record lands, the record names it.
    pub(super) async fn store_again(&mut self) -> Result<(), Unstored> {
        let Some(StoredResult { name, bytes, .. }) = &self.result else { return Ok(()) };
        self.store(name.clone(), bytes.clone()).await.map(drop)
    }

    /// Deletes the result that no record names.
    pub(super) fn discard_result(&mut self) {
        if let Some(stored) = self.result.take() {
            discard(&self.host, stored.name);
        }
    }

    /// The name of a result that the recorded end does not name.
    pub(super) fn unnamed_result(&mut self) -> Option<String> {
        let stored = self.result.take()?;
        let named = result_of(&self.record).is_some_and(|blob| blob.name == stored.name);
        (!named).then_some(stored.name)
    }
}

fn margin() -> Duration {
    fault::result_margin().unwrap_or(MARGIN)
}
