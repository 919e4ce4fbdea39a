//! Keeping a lease: its signs of life, what wakes it, and what happens when it has lapsed.

use std::future::Future;

use tokio::time::{Instant, sleep_until, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, fault, limited};
use wasmhost_protocol::record::StoredEntry;

use super::{Fenced, Lease, Refreshed};
use crate::delivery::Delivery;
use crate::running_leases::Wake;
use crate::settle::in_progress;

/// What keeping the lease asks for next.
pub(crate) enum Due {
    /// Somebody else on this host has news for the lease.
    Wake(Wake),
    /// A sign of life.
    Beat,
    /// No sign of life came through in time.
    Lapse,
}

impl Lease {
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
}
