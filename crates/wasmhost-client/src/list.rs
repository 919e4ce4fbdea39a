//! The records of many jobs, as they are when the client asks.

use futures::{Stream, StreamExt, TryStreamExt};
use wasmhost_nats::{JobFilter, ReadError};
use wasmhost_protocol::record::{Record, StoredEntry};

use crate::client::Client;

impl Client {
    /// Lists the records of all jobs, or of those of a module or a task; those written longest ago come first. An entry that
    /// this client cannot read as a record is left out.
    pub async fn list(
        &self,
        filter: &JobFilter,
    ) -> Result<impl Stream<Item = Result<Record, ReadError>> + Send + Unpin + use<>, ReadError> {
        let entries = self.records().list(filter).await?;
        // One entry that cannot be read must not hide the others.
        let records = entries.try_filter_map(|(_, stored)| std::future::ready(Ok(record_of(stored))));
        Ok(records.boxed())
    }
}

fn record_of(stored: StoredEntry) -> Option<Record> {
    match stored {
        StoredEntry::Record { record, .. } => Some(*record),
        StoredEntry::Absent
        | StoredEntry::Deleted(_)
        | StoredEntry::Unreadable { .. }
        | StoredEntry::Newer { .. } => None,
    }
}
