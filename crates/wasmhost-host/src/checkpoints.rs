//! The checkpoints of an attempt: each is stored in the background, beside everything else that the lease does, and then named
//! in the record. The newest wins. Each has a name of its own, so that the one that the record names stays whole until another
//! one is named ([R10](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r10-checkpoint)).

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

/// At most one checkpoint is stored in this time; one that could not be stored is tried again after it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How long an attempt that is tried again waits until its newest checkpoint is named.
const FLUSH_WITHIN: Duration = Duration::from_secs(60);
/// How long it waits where the host leaves: less than a drain waits for what is left to record.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// The checkpoints of one attempt.
pub(crate) struct Checkpoints {
    /// The newest that the guest saved, until its storing begins.
    unsaved: Option<Bytes>,
    in_background: Option<BlobTask>,
    /// The one that is stored, and not known to be named in the record. No newer one is stored meanwhile, so that a host that
    /// dies leaves at most two behind.
    unnamed: Option<BlobRef>,
    /// The one that the record named last.
    named: Option<BlobRef>,
    /// How many were stored so far.
    stored_count: u32,
    /// The earliest time of the next step.
    due_at: Instant,
}

/// What is done in the blob store while the lease does other things.
enum BlobTask {
    Storing { bytes: Bytes, name: String, done: BoxFuture<'static, Result<BlobRef, ObjectError>> },
    Removing { name: String, done: BoxFuture<'static, Result<bool, ObjectError>> },
}

/// The next step for the checkpoints of an attempt.
pub(crate) enum Step {
    /// Storing ended, well or not, for these bytes.
    Stored(Result<BlobRef, ObjectError>, Bytes),
    /// The removal of an earlier checkpoint ended, well or not.
    Removed,
    /// A checkpoint waits to be stored or named, and it is time for that.
    Due,
}

impl Checkpoints {
    /// Creates the checkpoints of an attempt whose record names this one.
    pub(crate) fn new(named: Option<BlobRef>) -> Self {
        let due_at = Instant::now();
        Self { unsaved: None, in_background: None, unnamed: None, named, stored_count: 0, due_at }
    }

    /// Takes a checkpoint of the guest, in place of an earlier one that is not being stored yet.
    pub(crate) fn save(&mut self, bytes: Bytes) {
        self.unsaved = Some(bytes);
    }

    /// Waits for the next step. It is cancel-safe: what is done in the background stands still until the next call.
    pub(crate) async fn next_step(&mut self) -> Step {
        let step = match &mut self.in_background {
            Some(BlobTask::Storing { bytes, done, .. }) => Step::Stored(done.await, bytes.clone()),
            Some(BlobTask::Removing { done, .. }) => {
                // What could not be removed is an orphan, which the reconciler finds.
                drop(done.await);
                Step::Removed
            }
            None if self.unsaved.is_some() || self.unnamed.is_some() => {
                sleep_until(self.due_at).await;
                return Step::Due;
            }
            None => std::future::pending().await,
        };
        self.in_background = None;
        step
    }

    /// Takes a step. Only the naming is awaited: it is a write of the record, which the lease does.
    pub(crate) async fn take_step(&mut self, step: Step, lease: &mut Lease) -> Result<(), Fenced> {
        match step {
            Step::Stored(Ok(blob), _) => {
                self.stored_count += 1;
                self.unnamed = Some(blob);
                self.name_in_record(lease).await?;
            }
            // A newer checkpoint that the guest saved meanwhile wins over the one that could not be stored.
            Step::Stored(Err(error), bytes) => {
                limited!(warn, job.key = %lease.delivery().key, %error, "could not keep a checkpoint; trying again");
                self.unsaved.get_or_insert(bytes);
                self.delay_next_step();
            }
            Step::Removed => {}
            Step::Due if self.unnamed.is_some() => self.name_in_record(lease).await?,
            Step::Due => self.begin_storing(lease),
        }
        Ok(())
    }

    fn delay_next_step(&mut self) {
        self.due_at = Instant::now() + CHECKPOINT_EVERY;
    }

    fn begin_storing(&mut self, lease: &Lease) {
        let Some(bytes) = self.unsaved.take() else { return };
        // The name of a try that failed is used again, which removes whatever that try left under it.
        let name = lease.blob_name(&format!("checkpoint-{}", self.stored_count + 1));
        let storing = {
            let connection = lease.connection().clone();
            let name = name.clone();
            let bytes = bytes.clone();
            async move { blobs::put(&connection, &name, bytes, Life::UntilDeleted).await }
        };
        self.in_background = Some(BlobTask::Storing { bytes, name, done: Box::pin(storing) });
    }

    /// Names the stored checkpoint in the record. Once it is known to be named there, the one before it is removed: until then
    /// the next attempt would go on from that one.
    async fn name_in_record(&mut self, lease: &mut Lease) -> Result<(), Fenced> {
        let Some(blob) = self.unnamed.clone() else { return Ok(()) };
        if lease.record().checkpoint.as_ref() != Some(&blob) {
            lease.write_progress(Transition::Checkpoint(blob.clone())).await?;
        }
        self.delay_next_step();
        // A write that was dropped or not answered leaves the record as it was: it is tried again.
        if lease.record().checkpoint.as_ref() == Some(&blob) {
            self.unnamed = None;
            if let Some(earlier) = self.named.replace(blob) {
                let connection = lease.connection().clone();
                let name = earlier.name.clone();
                let removing = async move { blobs::delete(&connection, &earlier.name).await };
                self.in_background = Some(BlobTask::Removing { name, done: Box::pin(removing) });
            }
        }
        Ok(())
    }

    /// Waits, within bounds, until the newest checkpoint is named in the record: the next attempt goes on from it.
    pub(crate) async fn flush(&mut self, lease: &mut Lease, life: &LifeCycle) -> Result<(), Fenced> {
        let flushed = self.wait_until_named(lease, life).await;
        if flushed.is_err() {
            drop(self.release(lease, life));
        }
        flushed
    }

    async fn wait_until_named(&mut self, lease: &mut Lease, life: &LifeCycle) -> Result<(), Fenced> {
        let mut until = Instant::now() + FLUSH_WITHIN;
        let mut leaving = false;
        if self.in_background.is_none() {
            self.due_at = Instant::now();
        }
        while !self.is_flushed() && !lease.is_revoked() {
            // Dropping the other arms loses nothing: each waits for something that stays so until it is taken.
            tokio::select! {
                biased;
                step = self.next_step() => self.take_step(step, lease).await?,
                event = lease.next_event() => lease.handle(event).await?,
                () = life.handing_off.cancelled(), if !leaving => {
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

    fn is_flushed(&self) -> bool {
        let is_storing = matches!(self.in_background, Some(BlobTask::Storing { .. }));
        self.unsaved.is_none() && self.unnamed.is_none() && !is_storing
    }

    /// Ends the attempt's hold on its checkpoints. Returns the names of those that are stored, whether the record names them or
    /// not; one that is still being stored is deleted after that.
    pub(crate) fn release(&mut self, lease: &Lease, life: &LifeCycle) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        match self.in_background.take() {
            Some(BlobTask::Storing { name, done, .. }) => discard_after(lease.connection(), life, name, done),
            Some(BlobTask::Removing { name, .. }) => drop(names.insert(name)),
            None => {}
        }
        self.unsaved = None;
        let known = [&lease.record().checkpoint, &self.named, &self.unnamed];
        names.extend(known.into_iter().flatten().map(|blob| blob.name.clone()));
        names
    }
}
