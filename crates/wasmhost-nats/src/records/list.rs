//! All records, or those of a module or a task, as they stand when asked.

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

/// Passes over what was written during the pass before. A job that is written again during each of them may be missed; without
/// an end to them a busy bucket would never be listed.
const PASSES: u32 = 8;

impl Records {
    /// What stands under each key, each once, oldest write first; it ends. Keys that are no job's are left out.
    ///
    /// The bucket is read by its numbers, so that nothing on the server grows with those who list. A key that is written
    /// meanwhile moves behind the end of what is read first: the look goes on until it has caught up.
    pub async fn list(
        &self,
        filter: &JobFilter,
    ) -> Result<impl Stream<Item = Result<(JobKey, StoredEntry), ReadError>> + Send + use<>, ReadError> {
        let names = self.connection.names.clone();
        let last = self.last_revision().await?;
        let (filter, told) = (filter.states(&names), HashSet::new());
        let look = Look { records: self.clone(), filter, from: 1, last, passes: 0, told };
        let windows = stream::try_unfold(look, Look::window);
        let rows = windows.map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten();
        Ok(rows.boxed())
    }
}

/// A look over the bucket.
struct Look {
    records: Records,
    /// What keys it is for, as a filter of subjects.
    filter: String,
    /// Where the next window starts.
    from: u64,
    /// How far this pass goes.
    last: u64,
    /// Passes before this one: each is over what was written during the one before.
    passes: u32,
    /// Keys that were told, by their hashes: each is told once, however often it is written meanwhile.
    told: HashSet<u64>,
}

impl Look {
    /// The rows of the next window that has any.
    async fn window(mut self) -> Result<Option<(Vec<(JobKey, StoredEntry)>, Self)>, ReadError> {
        let (connection, names) = (self.records.connection.clone(), self.records.connection.names.clone());
        let stream = names.states_stream();
        while self.has_more().await? {
            let page = all(&connection, &stream, self.from).await?;
            // Where the page is the last, what comes later is for the next pass.
            self.from = page.next.unwrap_or(self.last + 1);
            let rows: Vec<_> = page.messages.iter().filter_map(|message| self.row(&names, message)).collect();
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

    fn row(&mut self, names: &Names, message: &StoredMessage) -> Option<(JobKey, StoredEntry)> {
        let key =
            names.parse_state_subject(&message.subject).ok().filter(|_| self.matches(&message.subject))?;
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.told.insert(hasher.finish()).then(|| {
            let stored = stored_entry_of(&key, message);
            (key, stored)
        })
    }

    fn matches(&self, subject: &str) -> bool {
        // `…>` and `….*`: what a filter of states ends in stands for whole tokens.
        subject.starts_with(self.filter.trim_end_matches(['>', '*']))
    }
}
