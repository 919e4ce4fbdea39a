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

use crate::blobs::discard_after;
use crate::lease::{Fenced, Lease};
use crate::life_cycle::LifeCycle;

/// At most one checkpoint is stored in this time; what failed is tried again after it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How long an attempt that is to be tried again waits for its newest checkpoint to be stored.
const KEEP_WITHIN: Duration = Duration::from_secs(60);
/// The same where the host leaves: less than it waits for what is left to record.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// Checkpoints of this attempt.
pub(crate) struct Checkpoints {
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
pub(crate) enum Step {
    Stored(Result<BlobRef, ObjectError>, Bytes),
    Removed,
    Due,
}

impl Checkpoints {
    /// Of an attempt whose record names this one.
    pub(crate) fn new(named: Option<BlobRef>) -> Self {
        Self { held: None, beside: None, unnamed: None, named, stored: 0, due_at: Instant::now() }
    }

    /// Takes what the guest saved, in place of what it saved before.
    pub(crate) fn hold(&mut self, bytes: Bytes) {
        self.held = Some(bytes);
    }

    /// The next step, when it can be taken. Safe to drop: what goes on beside stands still until the next call.
    pub(crate) async fn next_step(&mut self) -> Step {
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

    /// Takes a step. Only the naming is awaited here: it is the record's owner who does it.
    pub(crate) async fn take_step(&mut self, step: Step, lease: &mut Lease) -> Result<(), Fenced> {
        match step {
            Step::Stored(Ok(blob), _) => {
                self.stored += 1;
                self.unnamed = Some(blob);
                self.name(lease).await?;
            }
            Step::Stored(Err(error), bytes) => {
                limited!(warn, job.key = %lease.delivery().key, %error, "could not keep a checkpoint; trying again");
                self.held.get_or_insert(bytes);
                self.wait();
            }
            Step::Removed => {}
            Step::Due if self.unnamed.is_some() => self.name(lease).await?,
            Step::Due => self.store(lease),
        }
        Ok(())
    }

    /// A name that failed is used again: what may be left under it then goes.
    fn store(&mut self, lease: &Lease) {
        let Some(bytes) = self.held.take() else { return };
        let name = lease.blob_name(&format!("checkpoint-{}", self.stored + 1));
        let storing = {
            let connection = lease.connection().clone();
            let name = name.clone();
            let bytes = bytes.clone();
            async move { blobs::put(&connection, &name, bytes, Life::UntilDeleted).await }
        };
        self.beside = Some(Beside::Storing { bytes, name, done: Box::pin(storing) });
    }

    /// Names the stored checkpoint in the record. Once it is known to be named there, the one before it is removed.
    async fn name(&mut self, lease: &mut Lease) -> Result<(), Fenced> {
        let Some(blob) = self.unnamed.clone() else { return Ok(()) };
        if lease.record().checkpoint.as_ref() != Some(&blob) {
            lease.write_progress(Transition::Checkpoint(blob.clone())).await?;
        }
        self.wait();
        if lease.record().checkpoint.as_ref() == Some(&blob) {
            self.unnamed = None;
            if let Some(before) = self.named.replace(blob) {
                let connection = lease.connection().clone();
                let name = before.name.clone();
                let removing = async move { blobs::delete(&connection, &before.name).await };
                self.beside = Some(Beside::Removing { name, done: Box::pin(removing) });
            }
        }
        Ok(())
    }

    /// Waits, within bounds, until the newest checkpoint is in the record: the next attempt begins with it.
    pub(crate) async fn keep_newest(&mut self, lease: &mut Lease, life: &LifeCycle) -> Result<(), Fenced> {
        let kept = self.wait_until_named(lease, life).await;
        if kept.is_err() {
            drop(self.give_up(lease, life));
        }
        kept
    }

    async fn wait_until_named(&mut self, lease: &mut Lease, life: &LifeCycle) -> Result<(), Fenced> {
        let mut until = Instant::now() + KEEP_WITHIN;
        let mut leaving = false;
        if self.beside.is_none() {
            self.due_at = Instant::now();
        }
        while !self.is_done() && !lease.is_revoked() {
            // Dropping the other arms loses nothing: each waits for something that stays so until it is taken.
            tokio::select! {
                biased;
                step = self.next_step() => self.take_step(step, lease).await?,
                due = lease.due() => lease.attend_to(due).await?,
                () = life.draining.cancelled(), if !leaving => {
                    leaving = true;
                    until = until.min(Instant::now() + LEAVE_WITHIN);
                }
                () = sleep_until(until) => {
                    limited!(warn, job.key = %lease.delivery().key, "the newest checkpoint could not be kept in time");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Lets go of all checkpoints. The names of those that are in the store, named by the record or not.
    pub(crate) fn give_up(&mut self, lease: &Lease, life: &LifeCycle) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        match self.beside.take() {
            Some(Beside::Storing { name, done, .. }) => discard_after(lease.connection(), life, name, done),
            Some(Beside::Removing { name, .. }) => drop(names.insert(name)),
            None => {}
        }
        self.held = None;
        let known = [&lease.record().checkpoint, &self.named, &self.unnamed];
        names.extend(known.into_iter().flatten().map(|blob| blob.name.clone()));
        names
    }
}
