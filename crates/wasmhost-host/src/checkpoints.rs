//! Checkpoints: stored beside everything else that a lease does, and then named in the record (T2). The newest wins; each has a
//! name of its own, so that the one in the record stays whole until another is named there.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep_until};
use wasmhost_nats::blobs::{self, Life, ObjectError};
use wasmhost_nats::limited;
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::record::BlobRef;

use super::{Fenced, Lease};
use crate::blobs::discard_after;

/// At most one checkpoint is stored in this time; what failed is tried again after it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How long an attempt that is to be tried again waits for its newest checkpoint to be stored.
const KEEP_WITHIN: Duration = Duration::from_secs(60);
/// The same where the host leaves: less than it waits for what is left to record.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// Checkpoints of this attempt.
pub(super) struct Checkpoints {
    /// The newest that the guest saved, until it is being stored.
    held: Option<Bytes>,
    beside: Option<Beside>,
    /// Stored, and not known to be named in the record. None newer is stored meanwhile: two are left behind at most.
    unnamed: Option<BlobRef>,
    /// The one that the record named last.
    named: Option<BlobRef>,
    /// Checkpoints stored so far.
    stored: u32,
    /// The earliest time of the next step.
    due_at: Instant,
}

/// What goes on beside the lease's other work.
enum Beside {
    Storing { bytes: Bytes, name: String, done: BoxFuture<'static, Result<BlobRef, ObjectError>> },
    Removing { name: String, done: BoxFuture<'static, Result<bool, ObjectError>> },
}

/// What there is to do next.
pub(super) enum Step {
    Stored(Result<BlobRef, ObjectError>, Bytes),
    Removed,
    Due,
}

impl Checkpoints {
    /// Of an attempt whose record names this one.
    pub(super) fn new(named: Option<BlobRef>) -> Self {
        Self { held: None, beside: None, unnamed: None, named, stored: 0, due_at: Instant::now() }
    }

    /// Takes what the guest saved, in place of what it saved before.
    pub(super) fn hold(&mut self, bytes: Bytes) {
        self.held = Some(bytes);
    }

    /// The next step, when it can be taken. Safe to drop: what goes on beside stands still until the next call.
    pub(super) async fn next_step(&mut self) -> Step {
        let step = match &mut self.beside {
            Some(Beside::Storing { bytes, done, .. }) => Step::Stored(done.await, bytes.clone()),
            Some(Beside::Removing { done, .. }) => {
                drop(done.await);
                Step::Removed
            }
            None if self.held.is_some() || self.unnamed.is_some() => {
                sleep_until(self.due_at).await;
                return Step::Due;
            }
            None => std::future::pending().await,
        };
        self.beside = None;
        step
    }

    fn is_done(&self) -> bool {
        self.held.is_none() && self.unnamed.is_none() && !matches!(self.beside, Some(Beside::Storing { .. }))
    }

    fn wait(&mut self) {
        self.due_at = Instant::now() + CHECKPOINT_EVERY;
    }
}

impl Lease {
    /// Takes a step. Only the naming is awaited here: it is the record's owner who does it.
    pub(super) async fn step(&mut self, step: Step) -> Result<(), Fenced> {
        match step {
            Step::Stored(Ok(blob), _) => {
                self.checkpoints.stored += 1;
                self.checkpoints.unnamed = Some(blob);
                self.name_checkpoint().await?;
            }
            Step::Stored(Err(error), bytes) => {
                limited!(warn, job.key = %self.delivery.key, %error, "could not keep a checkpoint; trying again");
                self.checkpoints.held.get_or_insert(bytes);
                self.checkpoints.wait();
            }
            Step::Removed => {}
            Step::Due if self.checkpoints.unnamed.is_some() => self.name_checkpoint().await?,
            Step::Due => self.store_checkpoint(),
        }
        Ok(())
    }

    /// A name that failed is used again: what may be left under it then goes.
    fn store_checkpoint(&mut self) {
        let Some(bytes) = self.checkpoints.held.take() else { return };
        let name = self.blob_name(&format!("checkpoint-{}", self.checkpoints.stored + 1));
        let storing = {
            let (connection, name, bytes) = (self.host.connection.clone(), name.clone(), bytes.clone());
            async move { blobs::put(&connection, &name, bytes, Life::UntilDeleted).await }
        };
        self.checkpoints.beside = Some(Beside::Storing { bytes, name, done: Box::pin(storing) });
    }

    /// T2. Once it is known to stand, the checkpoint before goes.
    async fn name_checkpoint(&mut self) -> Result<(), Fenced> {
        let Some(blob) = self.checkpoints.unnamed.clone() else { return Ok(()) };
        if self.record.checkpoint.as_ref() != Some(&blob) {
            self.show(Transition::Checkpoint(blob.clone())).await?;
        }
        self.checkpoints.wait();
        if self.record.checkpoint.as_ref() == Some(&blob) {
            self.checkpoints.unnamed = None;
            if let Some(before) = self.checkpoints.named.replace(blob) {
                let (connection, name) = (self.host.connection.clone(), before.name.clone());
                let removing = async move { blobs::delete(&connection, &before.name).await };
                self.checkpoints.beside = Some(Beside::Removing { name, done: Box::pin(removing) });
            }
        }
        Ok(())
    }

    /// Waits, within bounds, until the newest checkpoint is in the record: the next attempt begins with it.
    pub(crate) async fn keep_checkpoint(&mut self) -> Result<(), Fenced> {
        let kept = self.wait_for_checkpoint().await;
        if kept.is_err() {
            drop(self.give_up_checkpoints());
        }
        kept
    }

    async fn wait_for_checkpoint(&mut self) -> Result<(), Fenced> {
        let (draining, mut until) = (self.host.draining.clone(), Instant::now() + KEEP_WITHIN);
        let mut leaving = false;
        if self.checkpoints.beside.is_none() {
            self.checkpoints.due_at = Instant::now();
        }
        while !self.checkpoints.is_done() && self.record.revoke.is_none() {
            // Dropping the other arms loses nothing: each looks at state that stands until it is taken.
            tokio::select! {
                biased;
                step = self.checkpoints.next_step() => self.step(step).await?,
                wake = self.registered.woken() => self.woken(wake).await?,
                () = sleep_until(self.next_beat_at) => self.beat().await?,
                () = sleep_until(self.lapses_at) => self.check_lapsed().await?,
                () = draining.cancelled(), if !leaving => {
                    leaving = true;
                    until = until.min(Instant::now() + LEAVE_WITHIN);
                }
                () = sleep_until(until) => {
                    limited!(warn, job.key = %self.delivery.key, "the newest checkpoint could not be kept in time");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Lets go of all checkpoints. The names of those that are in the store, named by the record or not.
    pub(crate) fn give_up_checkpoints(&mut self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        match self.checkpoints.beside.take() {
            Some(Beside::Storing { name, done, .. }) => discard_after(&self.host, name, done),
            Some(Beside::Removing { name, .. }) => drop(names.insert(name)),
            None => {}
        }
        self.checkpoints.held = None;
        let known = [&self.record.checkpoint, &self.checkpoints.named, &self.checkpoints.unnamed];
        names.extend(known.into_iter().flatten().map(|blob| blob.name.clone()));
        names
    }
}
