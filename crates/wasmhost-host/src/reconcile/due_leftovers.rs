//! Due messages that were left behind: the job stream has no copy of them, because somebody removed it there, or because the
//! stream's source is held up by a message that the stream cannot store. Their jobs get a message again. What names no job, and so
//! reaches no queue, is copied to the dead letters and removed; what belongs to a job that has ended is removed
//! ([R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13-fired)).

mod copies;
mod dead_letters;
mod resolve;

use std::collections::HashMap;

use wasmhost_nats::jobs::next_undeliverable;
use wasmhost_nats::schedules::sourcing;
use wasmhost_nats::{ReadError, StoredMessage, next_due};

use crate::host::Host;
use copies::{copy_of, copy_on_subject_of};
use dead_letters::{dead_letter_due, dead_letter_queued};
use resolve::resolve;

/// The most due messages that one scan passes, each of which no host has claimed, and the most messages outside of all queues that
/// it removes.
const MESSAGES_PER_SCAN: usize = 250;
/// The most messages without a copy that are remembered from one pass to the next. Further ones wait until these are resolved.
const MAX_REMEMBERED: usize = 100_000;

/// The scans for due messages that were left behind.
pub(super) struct DueLeftovers<'a> {
    host: &'a Host,
    /// The sequence of the schedule stream at which the next scan starts.
    from: u64,
    /// The number of the pass over the schedule stream, which may take many scans.
    pass: u64,
    /// The due messages without a copy in the job stream, by sequence, with the pass that found that last.
    without_copy: HashMap<u64, u64>,
}

impl<'a> DueLeftovers<'a> {
    /// Creates the scans of a host; the first begins at the start of the schedule stream.
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, from: 1, pass: 0, without_copy: HashMap::new() }
    }

    /// Removes messages that the source brought where no queue has them, and scans the next part of the due messages.
    pub(super) async fn scan(&mut self) -> Result<(), ReadError> {
        let connection = &self.host.storage.connection;
        for _ in 0..MESSAGES_PER_SCAN {
            let Some(message) = next_undeliverable(connection).await? else { break };
            // A message that cannot be removed would be found again at once.
            if !dead_letter_queued(self.host, &message, "its subject names no queue and no task").await? {
                break;
            }
        }
        for _ in 0..MESSAGES_PER_SCAN {
            let Some(due) = next_due(connection, self.from).await? else {
                self.end_pass();
                break;
            };
            self.from = due.sequence + 1;
            if self.resolve_unless_copied(&due).await? {
                self.remember(due.sequence);
            } else {
                self.without_copy.remove(&due.sequence);
            }
        }
        Ok(())
    }

    fn remember(&mut self, sequence: u64) {
        if self.without_copy.len() < MAX_REMEMBERED || self.without_copy.contains_key(&sequence) {
            self.without_copy.insert(sequence, self.pass);
        }
    }

    /// Begins the next pass. What this one did not find has a copy now, or is gone.
    fn end_pass(&mut self) {
        let pass = self.pass;
        self.without_copy.retain(|_, found| *found == pass);
        self.from = 1;
        self.pass = pass + 1;
    }

    /// Resolves a due message of which the job stream had no copy in an earlier pass either. Returns whether it has none now.
    async fn resolve_unless_copied(&self, due: &StoredMessage) -> Result<bool, ReadError> {
        let names = &self.host.storage.connection.names;
        match names.parse_due_subject(&due.subject) {
            Ok(fired) => {
                let has_copy = copy_of(self.host, &fired, due).await?.is_some();
                if !has_copy && self.is_left_behind(due).await? {
                    resolve(self.host, &fired, due).await?;
                }
                Ok(!has_copy)
            }
            Err(why) => {
                let why = why.to_string();
                let copy = copy_on_subject_of(self.host, due).await?;
                match &copy {
                    Some(copy) if names.queue_of(&copy.subject).is_none() => {
                        dead_letter_queued(self.host, copy, &why).await?;
                    }
                    Some(_) => {}
                    None if self.is_left_behind(due).await? => dead_letter_due(self.host, due, &why).await?,
                    None => {}
                }
                Ok(copy.is_none())
            }
        }
    }

    /// Returns whether an earlier pass found no copy either, while the job stream seems to have taken all that it can. That is a
    /// hint alone: what comes twice runs once.
    async fn is_left_behind(&self, due: &StoredMessage) -> Result<bool, ReadError> {
        let found_before = self.without_copy.get(&due.sequence).is_some_and(|pass| *pass < self.pass);
        Ok(found_before && sourcing(&self.host.storage.connection).await?.is_done())
    }
}
