//! A claimed attempt's hold on its record and its delivery. It is the one owner of the record's newest revision on this host:
//! progress, signs of life, revokes and the terminal write all go through it, so that they do not fence each other. What the
//! attempt does meanwhile is not its business.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use wasmhost_nats::{
    ANSWER_TIMEOUT, Connection, Delivered, OwnedWrite, Records, WriteError, fault, limited, now, random_write,
};
use wasmhost_protocol::machine::{Illegal, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::timestamp::Timestamp;

use crate::delivery::Delivery;
use crate::running_leases::{Registration, RunningLeases, Wake};
use crate::settle::in_progress;
use crate::storage::Storage;

/// What all leases of a host share.
#[derive(Clone)]
pub(crate) struct LeaseTerms {
    pub(crate) storage: Storage,
    pub(crate) leases: RunningLeases,
    pub(crate) ack_wait: Duration,
}

/// A delivery that is known to be held since some time.
pub(crate) struct HeldDelivery {
    pub(crate) delivery: Delivery,
    pub(crate) since: Instant,
}

/// A claimed attempt's hold on its record and delivery.
pub(crate) struct Lease {
    storage: Storage,
    ack_wait: Duration,
    delivery: Delivery,
    record: Record,
    revision: u64,
    token: Token,
    registration: Registration,
    /// Without a sign of life until then, the attempt is no longer this host's.
    lapses_at: Instant,
    /// When the next sign of life is due, whatever is awaited by then.
    next_beat_at: Instant,
}

/// The record is another's now: stop, and send nothing for the delivery.
#[derive(Debug)]
pub(crate) struct Fenced;

/// What keeping the lease asks for next.
pub(crate) enum Due {
    /// Somebody else on this host has news for the lease.
    Wake(Wake),
    /// A sign of life.
    Beat,
    /// No sign of life came through in time.
    Lapse,
}

/// Whether the leader answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refreshed {
    Yes,
    /// Whether the lease has lapsed with it is for the next refresh to say.
    NoAnswer,
}

impl Lease {
    /// Of a claim that is recorded as `record` with `revision`. The lease counts from the time since which the delivery is
    /// known to be held, not from the answer to the claim, over which the host may have slept.
    pub(crate) fn new(terms: &LeaseTerms, held: HeldDelivery, record: Record, revision: u64) -> Self {
        let token = record.token.expect("a claim sets the token");
        let HeldDelivery { delivery, since } = held;
        let registration = terms.leases.register(&delivery.key, token);
        // At once for a message that was delivered before, which may have waited on its way.
        let is_first_delivery = delivery.ordinal.count <= 1;
        let next_beat_at = if is_first_delivery { since + terms.ack_wait / 3 } else { Instant::now() };
        Self {
            storage: terms.storage.clone(),
            ack_wait: terms.ack_wait,
            delivery,
            record,
            revision,
            token,
            registration,
            lapses_at: since + terms.ack_wait,
            next_beat_at,
        }
    }

    /// The record as this owner knows it.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    pub(crate) fn message(&self) -> &Delivered {
        &self.delivery.message
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.storage.connection
    }

    /// Without a sign of life until then, the attempt is no longer this host's.
    pub(crate) fn lapses_at(&self) -> Instant {
        self.lapses_at
    }

    /// Whether somebody asked for the job to stop.
    pub(crate) fn is_revoked(&self) -> bool {
        self.record.revoke.is_some()
    }

    /// When a revoked guest must have stopped.
    pub(crate) fn stop_at(&self) -> Option<Timestamp> {
        self.record.revoke.as_ref().map(|revoke| revoke.stop_at)
    }

    /// A name in the blob store that no other claim of any job uses.
    pub(crate) fn blob_name(&self, kind: &str) -> String {
        let token = format!("{}-{kind}", self.token);
        self.connection().names.blob_name(&self.delivery.key, self.record.attempt, &token)
    }

    /// A host that slept over the answer to its claim finds out, before its guest starts, whether the job ended meanwhile.
    pub(crate) async fn begin(&mut self) -> Result<(), Fenced> {
        let now = Instant::now();
        if self.lapses_at <= now {
            self.check_lapsed().await
        } else if self.next_beat_at <= now {
            self.beat().await
        } else {
            Ok(())
        }
    }

    /// The next thing to do for the lease, when it is due. Safe to drop: it is due again at the next call.
    pub(crate) async fn due(&mut self) -> Due {
        tokio::select! {
            biased;
            wake = self.registration.woken() => Due::Wake(wake),
            () = sleep_until(self.next_beat_at) => Due::Beat,
            () = sleep_until(self.lapses_at) => Due::Lapse,
        }
    }

    /// Does what is due.
    pub(crate) async fn attend_to(&mut self, due: Due) -> Result<(), Fenced> {
        match due {
            Due::Wake(Wake::Refresh) => self.refresh(self.lapses_at).await.map(drop),
            Due::Wake(Wake::Adopt(delivery)) => self.adopt(*delivery).await,
            Due::Beat => self.beat().await,
            Due::Lapse => self.check_lapsed().await,
        }
    }

    /// Goes on through a newer delivery of the message, once it is known that the claim still stands.
    async fn adopt(&mut self, delivery: Delivery) -> Result<(), Fenced> {
        let other = delivery.msg_seq != self.delivery.msg_seq;
        let newer = delivery.ordinal > self.delivery.ordinal;
        if self.refresh(self.lapses_at).await? == Refreshed::Yes && (other || newer) {
            self.delivery = delivery;
            self.extend_ack().await;
        }
        Ok(())
    }

    /// A sign of life. The record is read first: an acknowledgement deadline that is extended by a host whose claim is over would
    /// keep the message from its next owner for ever.
    async fn beat(&mut self) -> Result<(), Fenced> {
        self.next_beat_at = Instant::now() + self.ack_wait / 3;
        if self.refresh(self.lapses_at).await? == Refreshed::Yes {
            self.extend_ack().await;
        }
        Ok(())
    }

    /// Extends the acknowledgement deadline of the delivery. Whether that was sent.
    pub(crate) async fn extend_ack(&mut self) -> bool {
        let asked_at = Instant::now();
        let sent = in_progress(self.connection(), &self.delivery.message).await;
        if sent {
            self.lapses_at = asked_at + self.ack_wait;
        }
        sent
    }

    /// What a guest did is published only by whoever holds the job: a host that slept asks first.
    pub(crate) async fn check_held(&mut self) -> Result<(), Fenced> {
        fault::point("before-guest-is-heard");
        if Instant::now() < self.lapses_at { Ok(()) } else { self.check_lapsed().await }
    }

    /// No sign of life came through in time. A host that was merely paused may find its claim still there: one more read,
    /// while the guest stands still. Without an answer the lease is over.
    async fn check_lapsed(&mut self) -> Result<(), Fenced> {
        let refreshed = self.refresh(Instant::now() + ANSWER_TIMEOUT).await?;
        if refreshed == Refreshed::Yes && self.extend_ack().await {
            limited!(warn, job.key = %self.delivery.key, "went on after a pause longer than ack_wait");
            return Ok(());
        }
        Err(Fenced)
    }

    /// Reads the record, and accepts what others wrote into it.
    pub(crate) async fn refresh(&mut self, until: Instant) -> Result<Refreshed, Fenced> {
        if fault::is_naive_writer() {
            return Ok(Refreshed::Yes);
        }
        let read = timeout_at(until, self.storage.records.read(&self.delivery.key)).await;
        let Ok(Ok(stored)) = read else { return Ok(Refreshed::NoAnswer) };
        match stored {
            StoredEntry::Record { record, revision } if self.is_own(&record) => {
                self.accept_revision(*record, revision);
                Ok(Refreshed::Yes)
            }
            StoredEntry::Absent
            | StoredEntry::Deleted(_)
            | StoredEntry::Record { .. }
            | StoredEntry::Unreadable { .. }
            | StoredEntry::Newer { .. } => Err(Fenced),
        }
    }

    /// An end that others wrote keeps the token: it is accepted from nobody, or this host would write over it.
    fn is_own(&self, record: &Record) -> bool {
        record.token == Some(self.token) && !record.is_terminal()
    }

    fn accept_revision(&mut self, record: Record, revision: u64) {
        self.record = record;
        self.revision = revision;
    }

    /// Awaits what may take long, and extends the acknowledgement deadline meanwhile. The record is only read, and no newer
    /// revision accepted: a write that is under way finds out by itself what became of it.
    pub(crate) async fn keep_while<F: Future>(&mut self, awaited: F) -> F::Output {
        let mut awaited = std::pin::pin!(awaited);
        loop {
            // A sign of life that is dropped for the output is still due: whatever is awaited next begins with it.
            tokio::select! {
                biased;
                output = &mut awaited => return output,
                () = self.keep_delivery() => {}
            }
        }
    }

    /// The next sign of life, when it is due.
    async fn keep_delivery(&mut self) {
        sleep_until(self.next_beat_at).await;
        let read = self.storage.records.read(&self.delivery.key).await;
        if let Ok(StoredEntry::Record { record, .. }) = read
            && self.is_own(&record)
        {
            self.extend_ack().await;
        }
        self.next_beat_at = Instant::now() + self.ack_wait / 3;
    }

    /// The record that follows from `event`, as its owner would write it at `at`.
    pub(crate) fn next_record(&self, event: Transition, at: Timestamp) -> Result<Record, Illegal> {
        let writer = Writer::Owner(self.token);
        let intent = WriteIntent { transition: event, writer, now: at, write: random_write() };
        transition(Some(&self.record), &intent)
    }

    /// Writes what the running attempt shows: its state or its newest checkpoint. A revoke in the record means that it is
    /// dropped, and so does a server that has no room.
    pub(crate) async fn write_progress(&mut self, event: Transition) -> Result<(), Fenced> {
        loop {
            let record = match self.next_record(event.clone(), now()) {
                Ok(record) => record,
                Err(Illegal::Revoked) => return Ok(()),
                Err(_) => return Err(Fenced),
            };
            let until = self.lapses_at.min(Instant::now() + ANSWER_TIMEOUT);
            let written = timeout_at(until, self.pending_write(&record, None)).await;
            match written {
                Ok(Ok(written)) => match self.accept_written(record, written)? {
                    Accepted::Landed => return Ok(()),
                    Accepted::Moved => {}
                },
                // Whether the lease has lapsed with it is for the next refresh to say; an outcome is not thrown away for it.
                Err(_) => return Ok(()),
                Ok(Err(error)) => {
                    limited!(warn, job.key = %self.delivery.key, %error, "could not write progress");
                    return Ok(());
                }
            }
        }
    }

    /// A write of `record` over the newest revision, to be awaited. It borrows nothing of the lease, which is kept meanwhile.
    pub(crate) fn pending_write<'r>(
        &self,
        record: &'r Record,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<OwnedWrite, WriteError>> + Send + use<'r> {
        let records: Records = self.storage.records.clone();
        let key = self.delivery.key.clone();
        let expected = self.revision;
        let token = self.token;
        async move { records.write_owned(&key, record, expected, ttl, token).await }
    }

    /// Takes over what came of a write of `record`.
    pub(crate) fn accept_written(&mut self, record: Record, written: OwnedWrite) -> Result<Accepted, Fenced> {
        match written {
            OwnedWrite::Landed(revision) => {
                self.accept_revision(record, revision);
                Ok(Accepted::Landed)
            }
            OwnedWrite::Moved { record, revision } => {
                self.accept_revision(*record, revision);
                Ok(Accepted::Moved)
            }
            OwnedWrite::Fenced => Err(Fenced),
        }
    }
}

/// What a write left in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// What was written.
    Landed,
    /// What somebody else wrote meanwhile, under this claim: the record is to be built again.
    Moved,
}

/// Resolves at the time at which a revoked guest must have stopped; never, where nothing was revoked.
pub(crate) async fn stop_time(stop_at: Option<Timestamp>) {
    match stop_at {
        Some(stop_at) => tokio::time::sleep(stop_at.since(now())).await,
        None => std::future::pending().await,
    }
}
