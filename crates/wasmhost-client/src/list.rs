//! The records of many jobs, as they stand when asked.

use futures::{Stream, StreamExt, TryStreamExt};
use wasmhost_nats::{JobFilter, ReadError};
use wasmhost_protocol::{Record, Standing};

use crate::Client;

impl Client {
    /// The records of all jobs, or those of a module or a task, oldest write first. What cannot be read as a record is
    /// left out; `doctor` names it.
    pub async fn list(
        &self,
        filter: &JobFilter,
    ) -> Result<impl Stream<Item = Result<Record, ReadError>> + Send + Unpin + use<>, ReadError> {
        let standings = self.records().list(filter).await?;
        let records = standings.try_filter_map(|(_, standing)| std::future::ready(Ok(record_of(standing))));
        Ok(records.boxed())
    }
}

fn record_of(standing: Standing) -> Option<Record> {
    match standing {
        Standing::Record { record, .. } => Some(*record),
        Standing::Absent | Standing::Deleted(_) | Standing::Unreadable { .. } | Standing::Newer { .. } => {
            None
        }
    }
}
