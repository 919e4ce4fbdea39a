//! A claimed attempt's hold on its record and its delivery
//! ([R9](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r9)). The lease owns the record's newest revision on this
//! host: progress, signs of life, revokes and the terminal write all go through it, because two writers on one host would fence
//! each other. It knows nothing of what the attempt does meanwhile.

mod keep;
pub(crate) mod write;

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::{Connection, Delivered, now};
use wasmhost_protocol::record::{Record, Token};
use wasmhost_protocol::timestamp::Timestamp;

use crate::delivery::Delivery;
use crate::running_leases::{Registration, RunningLeases};
use crate::storage::Storage;

/// What all leases of a host share. It is cheap to clone.
#[derive(Clone)]
pub(crate) struct LeaseTerms {
    pub(crate) storage: Storage,
    pub(crate) leases: RunningLeases,
    pub(crate) ack_wait: Duration,
}

/// A delivery, and the time from which it is known to be held.
pub(crate) struct HeldDelivery {
    pub(crate) delivery: Delivery,
    pub(crate) since: Instant,
}

/// A claimed attempt's hold on its record and its delivery.
pub(crate) struct Lease {
    storage: Storage,
    ack_wait: Duration,
    delivery: Delivery,
    record: Record,
    revision: u64,
    token: Token,
    registration: Registration,
    times: BeatTimes,
}

/// When the next sign of life is due, and until when the lease lasts without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BeatTimes {
    /// When the next beat is due, whatever is awaited at that time.
    next_beat_at: Instant,
    /// When the lease lapses: `ack_wait` after the last sign of life that was sent.
    lapses_at: Instant,
}

/// The error of a lease whose record belongs to another claim now, or has ended. The host stops the guest and sends nothing for
/// the delivery ([R6](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r6)).
#[derive(Debug)]
pub(crate) struct Fenced;

/// Whether the leader answered a refresh in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// It did, and the claim still stands.
    Yes,
    /// It did not. Whether the lease has lapsed meanwhile is found out by the next refresh.
    NoAnswer,
}

impl Lease {
    /// Creates the lease of a claim that is recorded as `record` with `revision`.
    pub(crate) fn new(terms: &LeaseTerms, held: HeldDelivery, record: Record, revision: u64) -> Self {
        let token = record.token.expect("a claim sets the token");
        let HeldDelivery { delivery, since } = held;
        let registration = terms.leases.register(&delivery.key, token);
        let times = BeatTimes::first(delivery.ordinal.count, since, Instant::now(), terms.ack_wait);
        Self {
            storage: terms.storage.clone(),
            ack_wait: terms.ack_wait,
            delivery,
            record,
            revision,
            token,
            registration,
            times,
        }
    }

    /// Returns the record as its owner knows it.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the revision of [`Self::record`].
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the delivery that the lease beats and settles through: the newest that it adopted.
    pub(crate) fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Returns the message of [`Self::delivery`].
    pub(crate) fn message(&self) -> &Delivered {
        &self.delivery.message
    }

    /// Returns the connection that the lease writes over.
    pub(crate) fn connection(&self) -> &Connection {
        &self.storage.connection
    }

    /// Returns when the lease lapses unless another sign of life is sent before.
    pub(crate) fn lapses_at(&self) -> Instant {
        self.times.lapses_at
    }

    /// Returns whether a revoke is recorded.
    pub(crate) fn is_revoked(&self) -> bool {
        self.record.revoke.is_some()
    }

    /// Returns when a revoked guest must have stopped; none where no revoke is recorded.
    pub(crate) fn stop_at(&self) -> Option<Timestamp> {
        self.record.revoke.as_ref().map(|revoke| revoke.stop_at)
    }

    /// Returns a name in the blob store that no other claim of any job uses: a host that was superseded cannot replace a blob
    /// of its successor.
    pub(crate) fn blob_name(&self, kind: &str) -> String {
        let token = format!("{}-{kind}", self.token);
        self.connection().names.blob_name(&self.delivery.key, self.record.attempt, &token)
    }

    /// Returns whether a record is that of this claim and has not ended. An end that others wrote keeps the token: an owner that
    /// accepted its revision would write over it.
    fn is_own(&self, record: &Record) -> bool {
        record.token == Some(self.token) && !record.is_terminal()
    }

    fn accept_revision(&mut self, record: Record, revision: u64) {
        self.record = record;
        self.revision = revision;
    }
}

impl BeatTimes {
    /// Returns the times of a lease that begins `now`, with the delivery numbered `count` that is known to be held since
    /// `since`. The lease lasts from that time and not from the answer to the claim, over which the host may have slept.
    fn first(count: u64, since: Instant, now: Instant, ack_wait: Duration) -> Self {
        // A message that was delivered before may have waited on its way: its first beat is due at once.
        let next_beat_at = if count <= 1 { since + ack_wait / 3 } else { now };
        Self { next_beat_at, lapses_at: since + ack_wait }
    }

    /// Plans the next beat: three fit into `ack_wait`.
    fn plan_next(&mut self, now: Instant, ack_wait: Duration) {
        self.next_beat_at = now + ack_wait / 3;
    }

    /// Extends the lease after a sign of life that was asked for at `asked_at`.
    fn extend(&mut self, asked_at: Instant, ack_wait: Duration) {
        self.lapses_at = asked_at + ack_wait;
    }
}

/// Resolves at the time at which a revoked guest must have stopped; never where nothing was revoked.
pub(crate) async fn stop_time(stop_at: Option<Timestamp>) {
    match stop_at {
        Some(stop_at) => tokio::time::sleep(stop_at.since(now())).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK_WAIT: Duration = Duration::from_secs(30);
    const BEAT: Duration = Duration::from_secs(10);

    #[test]
    fn a_lease_lasts_from_when_its_delivery_was_held_and_not_from_its_claim() {
        let since = Instant::now();
        let claimed_at = since + Duration::from_secs(25);
        for count in [1, 2] {
            assert_eq!(BeatTimes::first(count, since, claimed_at, ACK_WAIT).lapses_at, since + ACK_WAIT);
        }
    }

    #[test]
    fn the_first_beat_of_a_first_delivery_is_due_after_a_third_of_ack_wait() {
        let since = Instant::now();
        let times = BeatTimes::first(1, since, since + Duration::from_secs(1), ACK_WAIT);
        assert_eq!(times.next_beat_at, since + BEAT);
    }

    #[test]
    fn the_first_beat_of_a_later_delivery_is_due_at_once() {
        let since = Instant::now();
        let now = since + Duration::from_secs(1);
        assert_eq!(BeatTimes::first(2, since, now, ACK_WAIT).next_beat_at, now);
    }

    #[test]
    fn a_sign_of_life_extends_the_lease_from_when_it_was_asked_for() {
        let since = Instant::now();
        let mut times = BeatTimes::first(1, since, since, ACK_WAIT);
        times.plan_next(since + BEAT, ACK_WAIT);
        times.extend(since + BEAT, ACK_WAIT);
        let wanted = BeatTimes { next_beat_at: since + 2 * BEAT, lapses_at: since + BEAT + ACK_WAIT };
        assert_eq!(times, wanted);
    }
}
