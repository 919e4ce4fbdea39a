//! Log lines of guests, on the log subject of their job. They are published without a guarantee and within bounds, so that one
//! guest in a loop takes neither the connection nor the room for the lines of others. Lines that are dropped are counted in a
//! last line.

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::{Connection, now};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::log::{LogLevel, LogLine, LogStream};
use wasmhost_sandbox::GuestLine;

use crate::lease::Lease;

/// The most lines of one attempt in a second: as many as a person's tools can follow, and few enough that a guest that prints in
/// a loop takes nobody's place on the connection.
const LINES_PER_SECOND: u32 = 1_000;
/// The most bytes of all lines of one attempt, as they are published.
const ATTEMPT_BYTES: usize = 64 << 10;

/// The log of one attempt.
pub(super) struct GuestLogs {
    connection: Connection,
    key: JobKey,
    attempt: u32,
    allowance: Allowance,
}

/// What an attempt may still log, and how many lines were dropped.
#[derive(Debug)]
struct Allowance {
    bytes_left: usize,
    lines_left: u32,
    second_ends_at: Instant,
    dropped: u64,
}

impl GuestLogs {
    /// Creates the log of the attempt that holds this lease.
    pub(super) fn new(lease: &Lease) -> Self {
        Self {
            connection: lease.connection().clone(),
            key: lease.delivery().key.clone(),
            attempt: lease.record().attempt,
            allowance: Allowance::new(),
        }
    }

    /// Publishes one line of the guest, if the attempt may log it and the connection has room at once.
    pub(super) fn publish(&mut self, line: GuestLine) {
        let GuestLine { level, stream, message, fields, .. } = line;
        let text = to_json(&LogLine { at: now(), attempt: self.attempt, level, stream, message, fields });
        // Nothing is waited for: a log line must not hold up the lease.
        if self.allowance.take(text.len(), Instant::now()) && !self.send(text) {
            self.allowance.dropped += 1;
        }
    }

    /// Publishes how many lines were dropped, together with the `unread` ones that the sandbox had no room for.
    pub(super) fn report_dropped(&self, unread: u64) {
        let dropped = self.allowance.dropped + unread;
        if dropped > 0 {
            let lines = if dropped == 1 { "line" } else { "lines" };
            let message = format!(
                "… {dropped} {lines} dropped: {LINES_PER_SECOND} a second and {ATTEMPT_BYTES} bytes are kept"
            );
            self.note(LogLevel::Warn, message);
        }
    }

    /// Publishes a line of the host's own among those of the guest.
    pub(super) fn note(&self, level: LogLevel, message: String) {
        let stream = LogStream::Host;
        let line = LogLine { at: now(), attempt: self.attempt, level, stream, message, fields: None };
        self.send(to_json(&line));
    }

    /// Returns whether the connection had room.
    fn send(&self, text: String) -> bool {
        self.connection.try_publish_log(&self.key, text)
    }
}

impl Allowance {
    fn new() -> Self {
        let second_ends_at = Instant::now() + Duration::from_secs(1);
        Self { bytes_left: ATTEMPT_BYTES, lines_left: LINES_PER_SECOND, second_ends_at, dropped: 0 }
    }

    /// Returns whether a line of so many bytes may be published, and counts it either way.
    fn take(&mut self, bytes: usize, now: Instant) -> bool {
        if now >= self.second_ends_at {
            self.lines_left = LINES_PER_SECOND;
            self.second_ends_at = now + Duration::from_secs(1);
        }
        let fits = self.lines_left > 0 && bytes <= self.bytes_left;
        if fits {
            self.lines_left -= 1;
            self.bytes_left -= bytes;
        } else {
            self.dropped += 1;
        }
        fits
    }
}

fn to_json(line: &LogLine) -> String {
    serde_json::to_string(line).expect("a log line can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_attempt_has_so_many_lines_a_second_and_so_many_bytes_in_all() {
        let mut allowance = Allowance::new();
        let start = Instant::now();
        let sent = (0..5_000).filter(|_| allowance.take(10, start)).count();
        assert_eq!((sent, allowance.dropped), (1_000, 4_000));
        let later = start + Duration::from_secs(2);
        assert!(allowance.take(10, later));
        assert!(!allowance.take(ATTEMPT_BYTES, later), "the bytes are counted over the whole attempt");
        assert!(
            (0..100_000).filter(|at| allowance.take(10, later + Duration::from_secs(*at))).count() < 6_600
        );
    }
}
