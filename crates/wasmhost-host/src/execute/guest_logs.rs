//! Log lines of guests, on their job's log subject. Best effort, and within bounds: one guest in a loop takes neither the
//! connection nor the place of everybody else's lines. What is dropped is said.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use serde::Serialize;
use tokio::time::Instant;
use wasmhost_nats::now;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_sandbox::{LogLevel, LogLine, LogStream};

use crate::lease::Lease;

/// Lines of one attempt in a second.
const LINES_PER_SECOND: u32 = 1_000;
/// Bytes of all lines of one attempt, as they are sent.
const ATTEMPT_BYTES: usize = 64 << 10;

/// What an attempt may still log, and what it lost.
#[derive(Debug)]
pub(crate) struct Allowance {
    bytes_left: usize,
    lines_left: u32,
    second_ends_at: Instant,
    dropped: u64,
}

impl Allowance {
    pub(crate) fn new() -> Self {
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

/// Publishes one line of the lease's guest, if it may have one and there is room at once.
pub(crate) fn publish(lease: &mut Lease, line: &LogLine) {
    let text = written(lease, level(line.level), stream(line.stream), &line.message, line.fields.as_ref());
    if lease.logs.takes(text.len(), Instant::now()) && !send(lease, text) {
        lease.logs.dropped += 1;
    }
}

/// Says how many lines were dropped, beside those that the guest's host had no time to read.
pub(crate) fn conclude(lease: &Lease, unread: u64) {
    let dropped = lease.logs.dropped + unread;
    if dropped > 0 {
        let lines = if dropped == 1 { "line" } else { "lines" };
        let what = format!(
            "… {dropped} {lines} dropped: {LINES_PER_SECOND} a second and {ATTEMPT_BYTES} bytes are kept"
        );
        note(lease, "warn", &what);
    }
}

/// A line of the host's own among those of the guest.
pub(crate) fn note(lease: &Lease, level: &str, what: &str) {
    send(lease, written(lease, level, "host", what, None));
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

fn written(lease: &Lease, level: &str, stream: &str, message: &str, fields: Option<&Json>) -> String {
    let line = Line { at: now(), attempt: lease.known().attempt, level, stream, message, fields };
    serde_json::to_string(&line).expect("a log line can be written as JSON")
}

/// Whether there was room.
fn send(lease: &Lease, text: String) -> bool {
    let connection = &lease.host.connection;
    let subject = connection.names.logs_subject(&lease.delivery.key);
    let publishing = connection.client.publish(subject, Bytes::from(text));
    // Many lines in one turn use the turn up, which is no want of room.
    matches!(tokio::task::unconstrained(publishing).now_or_never(), Some(Ok(())))
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
