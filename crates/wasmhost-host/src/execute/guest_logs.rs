//! Log lines of guests, on their job's log subject. Best effort, and within bounds: one guest in a loop takes neither the
//! connection nor the place of everybody else's lines. What is dropped is said.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use wasmhost_nats::{Connection, now};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_sandbox::{LogLevel, LogLine, LogStream};

use crate::lease::Lease;

/// Lines of one attempt in a second.
const LINES_PER_SECOND: u32 = 1_000;
/// Bytes of all lines of one attempt, as they are sent.
const ATTEMPT_BYTES: usize = 64 << 10;

/// The log of an attempt on its job's subject.
pub(super) struct GuestLogs {
    connection: Connection,
    key: JobKey,
    attempt: u32,
    allowance: Allowance,
}

/// What an attempt may still log, and what it lost.
#[derive(Debug)]
struct Allowance {
    bytes_left: usize,
    lines_left: u32,
    second_ends_at: Instant,
    dropped: u64,
}

/// A line as it is published. The fields are the guest's own text.
#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    attempt: u32,
    level: &'a str,
    stream: &'a str,
    message: &'a str,
    fields: Option<&'a Json>,
}

impl GuestLogs {
    /// Of an attempt that holds this lease.
    pub(super) fn new(lease: &Lease) -> Self {
        Self {
            connection: lease.connection().clone(),
            key: lease.delivery().key.clone(),
            attempt: lease.record().attempt,
            allowance: Allowance::new(),
        }
    }

    /// Publishes one line of the guest, if it may have one and there is room at once.
    pub(super) fn publish(&mut self, line: &LogLine) {
        let fields = line.fields.as_ref();
        let text = self.written(level(line.level), stream(line.stream), &line.message, fields);
        if self.allowance.takes(text.len(), Instant::now()) && !self.send(text) {
            self.allowance.dropped += 1;
        }
    }

    /// Says how many lines were dropped, together with those that the sandbox had no room for.
    pub(super) fn conclude(&self, unread: u64) {
        let dropped = self.allowance.dropped + unread;
        if dropped > 0 {
            let lines = if dropped == 1 { "line" } else { "lines" };
            let what = format!(
                "… {dropped} {lines} dropped: {LINES_PER_SECOND} a second and {ATTEMPT_BYTES} bytes are kept"
            );
            self.note("warn", &what);
        }
    }

    /// Publishes a line of the host's own among those of the guest.
    pub(super) fn note(&self, level: &str, what: &str) {
        self.send(self.written(level, "host", what, None));
    }

    fn written(&self, level: &str, stream: &str, message: &str, fields: Option<&Json>) -> String {
        let line = Line { at: now(), attempt: self.attempt, level, stream, message, fields };
        serde_json::to_string(&line).expect("a log line can be written as JSON")
    }

    /// Whether there was room.
    fn send(&self, text: String) -> bool {
        self.connection.try_publish_log(&self.key, text)
    }
}

impl Allowance {
    fn new() -> Self {
        let second_ends_at = Instant::now() + Duration::from_secs(1);
        Self { bytes_left: ATTEMPT_BYTES, lines_left: LINES_PER_SECOND, second_ends_at, dropped: 0 }
    }

    /// Whether a line of so many bytes is sent; one that is not is counted.
    fn takes(&mut self, bytes: usize, now: Instant) -> bool {
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

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

fn stream(stream: LogStream) -> &'static str {
    match stream {
        LogStream::Guest => "guest",
        LogStream::Stdout => "stdout",
        LogStream::Stderr => "stderr",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_guest_has_so_many_lines_a_second_and_so_many_bytes_in_all() {
        let (mut logs, start) = (Allowance::new(), Instant::now());
        let sent = (0..5_000).filter(|_| logs.takes(10, start)).count();
        assert_eq!((sent, logs.dropped), (1_000, 4_000));
        let later = start + Duration::from_secs(2);
        assert!(logs.takes(10, later));
        assert!(!logs.takes(ATTEMPT_BYTES, later), "the bytes are those of the attempt");
        assert!((0..100_000).filter(|at| logs.takes(10, later + Duration::from_secs(*at))).count() < 6_600);
    }
}
