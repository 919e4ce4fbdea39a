//! Listing records: all of them, or those of a module or a task.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::record::StoredEntry;

use super::bucket::Records;
use super::filter::JobFilter;
use super::stored_entry::stored_entry_of;
use crate::direct::all;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// The most passes over what was written during the pass before. Without a bound a busy bucket would never be listed;
/// with it, a job that is written again during each of the passes may be missed.
const PASSES: u32 = 8;

impl Records {
    /// Lists what the bucket holds, each key once, oldest write first. Keys that are no job's are left out.
    ///
    /// The bucket is read by sequence, without a consumer, so that nothing on the server grows with the number of
    /// readers. A key that is written meanwhile moves behind the end of what is read first, so that further passes read
    /// what was written during the pass before.
    pub async fn list(
        &self,
        filter: &JobFilter,
    ) -> Result<impl Stream<Item = Result<(JobKey, StoredEntry), ReadError>> + Send + use<>, ReadError> {
        let last = self.last_revision().await?;
        let listing = Listing {
            records: self.clone(),
            filter: filter.states(&self.connection.names),
            from: 1,
            last,
            passes: 0,
            listed: HashSet::new(),
        };
        let pages = stream::try_unfold(listing, Listing::page);
        let rows = pages.map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten();
        Ok(rows.boxed())
    }
}

/// A list that is under way.
struct Listing {
    records: Records,
    /// The filter for the subjects that are listed.
    filter: String,
    /// The revision at which the next page starts.
    from: u64,
    /// The revision at which this pass ends.
    last: u64,
    /// How many passes there were before this one.
    passes: u32,
    /// The hashes of the keys that were listed, which take less memory than the keys.
    listed: HashSet<u64>,
}

impl Listing {
    /// The rows of the next page that has any.
    async fn page(mut self) -> Result<Option<(Vec<(JobKey, StoredEntry)>, Self)>, ReadError> {
        let connection = self.records.connection.clone();
        let names = &connection.names;
        let stream = names.states_stream();
        while self.has_more().await? {
            let page = all(&connection, &stream, self.from).await?;
            // Where the page is the last one, what is written later is for the next pass.
            self.from = page.next.unwrap_or(self.last + 1);
            let rows: Vec<_> = page.messages.iter().filter_map(|message| self.row(names, message)).collect();
            if !rows.is_empty() {
                return Ok(Some((rows, self)));
            }
        }
        Ok(None)
    }

    /// Whether there is more to read, in this pass or in another one.
    async fn has_more(&mut self) -> Result<bool, ReadError> {
        if self.from > self.last && self.passes < PASSES {
            self.last = self.records.last_revision().await?;
            self.passes += 1;
        }
        Ok(self.from <= self.last)
    }

    /// The row of a message; none where its key was listed before or is not asked for.
    fn row(&mut self, names: &Names, message: &StoredMessage) -> Option<(JobKey, StoredEntry)> {
        let key =
            names.parse_state_subject(&message.subject).ok().filter(|_| self.matches(&message.subject))?;
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.listed.insert(hasher.finish()).then(|| {
            let stored = stored_entry_of(&key, message);
            (key, stored)
        })
    }

    fn matches(&self, subject: &str) -> bool {
        // Filters of states end in `.>` or `.*`, so that a prefix compares whole tokens. The server could filter, too,
        // but it would count all that matches for each page.
        subject.starts_with(self.filter.trim_end_matches(['>', '*']))
    }
}
