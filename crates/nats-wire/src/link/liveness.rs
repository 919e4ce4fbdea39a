//! Whether the server is still there.

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::config::Config;

/// Pings in a row after which nothing came before the connection counts as broken.
const UNANSWERED_PINGS: usize = 2;

/// The signs of life of a server.
pub(super) struct Liveness {
    /// Whether the server gave a sign of life since the last ping: bytes, or room for ours.
    alive: bool,
    /// Pings in a row after which nothing came.
    silent_pings: usize,
}

impl Liveness {
    /// A server that has just been connected to.
    pub(super) fn new() -> Self {
        Self { alive: true, silent_pings: 0 }
    }

    /// Notes a sign of life.
    pub(super) fn sign(&mut self) {
        self.alive = true;
    }

    /// Counts the time for a ping. The error says why the server counts as gone. An answer queues behind whatever the server
    /// is sending already, so that anything that comes shows that it is there.
    pub(super) fn next_ping(&mut self) -> Result<(), String> {
        self.silent_pings = if std::mem::take(&mut self.alive) { 0 } else { self.silent_pings + 1 };
        if self.silent_pings < UNANSWERED_PINGS {
            return Ok(());
        }
        Err(format!("the server answered none of {} pings", self.silent_pings))
    }
}

/// The times for pings.
pub(super) fn pings(config: &Config) -> Interval {
    // The first ping is not due at once, as it is with `interval`: that of the handshake has just been answered.
    let mut pings = interval_at(Instant::now() + config.ping_interval, config.ping_interval);
    // A machine that slept asks once, and not for each time that it missed.
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}
