//! Keeping a lease: its beats, what wakes it, and what happens when it has lapsed.

use std::future::Future;
use std::pin::pin;

use tokio::time::{Instant, sleep_until, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, fault, limited};
use wasmhost_protocol::record::StoredEntry;

use super::{BeatTimes, Fenced, Lease, Refreshed};
use crate::delivery::Delivery;
use crate::running_leases::Wake;
use crate::settle::in_progress;

/// What a lease has to do next.
pub(crate) enum LeaseEvent {
    /// Another part of this host has news for the lease.
    Wake(Wake),
    /// A beat is due.
    Beat,
    /// No sign of life was sent in time.
    Lapse,
}

impl Lease {
    /// Checks the lease before its guest starts: a host that slept over the answer to its claim finds out whether another host
    /// took the job, or ended it, meanwhile.
    pub(crate) async fn check_before_start(&mut self) -> Result<(), Fenced> {
        let now = Instant::now();
        if self.times.lapses_at <= now {
            Box::pin(self.check_lapsed()).await
        } else if self.times.next_beat_at <= now {
            Box::pin(self.beat()).await
        } else {
            Ok(())
        }
    }

    /// Waits until the lease has something to do. It is cancel-safe: what was due is due again at the next call.
    pub(crate) async fn next_event(&mut self) -> LeaseEvent {
        let BeatTimes { next_beat_at, lapses_at } = self.times;
        // One timer for both: every job registers it.
        let (at, event) = if next_beat_at <= lapses_at {
            (next_beat_at, LeaseEvent::Beat)
        } else {
            (lapses_at, LeaseEvent::Lapse)
        };
        tokio::select! {
            biased;
            wake = self.registration.next_wake() => LeaseEvent::Wake(wake),
            () = sleep_until(at) => event,
        }
    }

    /// Does what is due.
    pub(crate) async fn handle(&mut self, event: LeaseEvent) -> Result<(), Fenced> {
        // Boxed, since most jobs end before anything is due, and the future of each has room for all that it may await.
        Box::pin(self.do_what_is_due(event)).await
    }

    async fn do_what_is_due(&mut self, event: LeaseEvent) -> Result<(), Fenced> {
        match event {
            LeaseEvent::Wake(Wake::Refresh) => self.refresh(self.times.lapses_at).await.map(drop),
            LeaseEvent::Wake(Wake::Adopt(delivery)) => self.adopt(*delivery).await,
            LeaseEvent::Beat => self.beat().await,
            LeaseEvent::Lapse => self.check_lapsed().await,
        }
    }

    /// Goes on through a newer delivery of the job's message, once it is known that the claim still stands. Without this, a host
    /// that was paused briefly would take its own job over and fence itself.
    async fn adopt(&mut self, delivery: Delivery) -> Result<(), Fenced> {
        // Counts are those of one message: they say nothing of another one, which a claim by adoption may have.
        let is_other_message = delivery.msg_seq != self.delivery.msg_seq;
        let is_newer = delivery.ordinal > self.delivery.ordinal;
        if self.refresh(self.times.lapses_at).await? == Refreshed::Yes && (is_other_message || is_newer) {
            self.delivery = delivery;
            self.extend_ack().await;
        }
        Ok(())
    }

    /// Reads the record, and sends a sign of life if the claim still stands. The read comes first: a host whose claim is over
    /// would keep the message from its next owner for ever.
    async fn beat(&mut self) -> Result<(), Fenced> {
        self.times.plan_next(Instant::now(), self.ack_wait);
        if self.refresh(self.times.lapses_at).await? == Refreshed::Yes {
            self.extend_ack().await;
        }
        Ok(())
    }

    /// Extends the acknowledgement deadline of the delivery, and the lease with it. Returns whether the sign of life was sent.
    pub(crate) async fn extend_ack(&mut self) -> bool {
        let asked_at = Instant::now();
        let sent = in_progress(self.connection(), &self.delivery.message).await;
        // JetStream confirms nothing: a sign of life that was sent is all that is known.
        if sent {
            self.times.extend(asked_at, self.ack_wait);
        }
        sent
    }

    /// Checks, before anything that a guest did is published, that the lease has not lapsed. A host that slept reads the record
    /// first.
    pub(crate) async fn check_held(&mut self) -> Result<(), Fenced> {
        fault::point("before-guest-is-heard");
        if Instant::now() < self.times.lapses_at { Ok(()) } else { Box::pin(self.check_lapsed()).await }
    }

    /// Reads the record once more after the lease has lapsed, while the guest stands still. A host that was merely paused may
    /// find its claim still there, and goes on; without an answer it is fenced.
    async fn check_lapsed(&mut self) -> Result<(), Fenced> {
        // Without an answer within this time the claim counts as lost: another host may have the job by now.
        let refreshed = self.refresh(Instant::now() + ANSWER_TIMEOUT).await?;
        if refreshed == Refreshed::Yes && self.extend_ack().await {
            limited!(warn, job.key = %self.delivery.key, "went on after a pause longer than ack_wait");
            return Ok(());
        }
        Err(Fenced)
    }

    /// Reads the record from the leader, and accepts the revision if the claim still stands.
    pub(crate) async fn refresh(&mut self, until: Instant) -> Result<Refreshed, Fenced> {
        if fault::is_naive_writer() {
            return Ok(Refreshed::Yes);
        }
        let read = timeout_at(until, self.storage.records.read(&self.delivery.key)).await;
        // No answer says nothing of the claim, neither good nor bad: the lease lasts until it lapses.
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

    /// Awaits what may take long, and sends signs of life meanwhile. No newer revision is accepted: a write that is under way
    /// finds out by itself what became of it.
    pub(crate) async fn keep_alive_while<F: Future>(&mut self, awaited: F) -> F::Output {
        let mut awaited = pin!(awaited);
        loop {
            // A sign of life that is dropped for the output is still due: whatever is awaited next begins with it.
            tokio::select! {
                biased;
                output = &mut awaited => return output,
                () = self.extend_when_due() => {}
            }
        }
    }

    /// Waits until a beat is due, and sends a sign of life if the claim still stands.
    async fn extend_when_due(&mut self) {
        sleep_until(self.times.next_beat_at).await;
        Box::pin(self.extend_if_own()).await;
    }

    async fn extend_if_own(&mut self) {
        let read = self.storage.records.read(&self.delivery.key).await;
        if let Ok(StoredEntry::Record { record, .. }) = read
            && self.is_own(&record)
        {
            self.extend_ack().await;
        }
        self.times.plan_next(Instant::now(), self.ack_wait);
    }
}
