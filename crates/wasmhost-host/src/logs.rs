//! Log lines of guests, on their job's log subject. Best effort: what the connection has no room for is dropped.

use bytes::Bytes;
use futures::FutureExt;
use wasmhost_nats::now;
use wasmhost_sandbox::{LogLevel, LogLine, LogStream};

use crate::lease::Lease;

/// Publishes one line of the lease's guest, if there is room at once.
pub(crate) fn publish(lease: &Lease, line: &LogLine) {
    let text = serde_json::json!({
        "at": now(),
        "attempt": lease.known().attempt,
        "level": level(line.level),
        "stream": stream(line.stream),
        "message": line.message,
        "fields": line.fields.as_ref().and_then(|fields| fields.read::<serde_json::Value>().ok()),
    });
    let connection = &lease.host.connection;
    let subject = connection.names.logs_subject(&lease.delivery.key);
    match connection.client.publish(subject, Bytes::from(text.to_string())).now_or_never() {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%error, "could not publish a log line"),
        None => tracing::debug!("no room for a log line"),
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
