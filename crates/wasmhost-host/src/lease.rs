//! A claimed attempt's hold on its record and its delivery. It is the one owner of the record's newest revision on this host:
//! progress, signs of life, revokes and the terminal write all go through it, so that they do not fence each other. What the
//! attempt does meanwhile is not its business.

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

    /// An end that others wrote keeps the token: it is accepted from nobody, or this host would write over it.
    fn is_own(&self, record: &Record) -> bool {
        record.token == Some(self.token) && !record.is_terminal()
    }

    fn accept_revision(&mut self, record: Record, revision: u64) {
        self.record = record;
        self.revision = revision;
    }
}

/// Resolves at the time at which a revoked guest must have stopped; never, where nothing was revoked.
pub(crate) async fn stop_time(stop_at: Option<Timestamp>) {
    match stop_at {
        Some(stop_at) => tokio::time::sleep(stop_at.since(now())).await,
        None => std::future::pending().await,
    }
}
