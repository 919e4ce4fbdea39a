//! Standard output and error of a guest. Their lines become log lines. The end of standard error is kept for the record
//! as well, since that is where runtimes write panics and tracebacks.

mod tail;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmhost_protocol::log::{LogLevel, LogStream};
use wasmhost_protocol::text::escape;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::refusals::Refusals;
use crate::updates::{GuestLine, GuestUpdates};
pub(crate) use tail::StderrTail;

/// The most bytes of a line; a longer one is cut into pieces.
pub(crate) const LINE_BYTES: usize = 8 << 10;
/// The most bytes that a guest may write in one call.
const WRITE_BYTES: usize = 64 << 10;

/// One of the two streams. Clones write to the same stream.
#[derive(Clone)]
pub(crate) struct Output(Arc<Shared>);

struct Shared {
    updates: Arc<GuestUpdates>,
    kind: Kind,
    /// The line that is being written.
    line: Mutex<Vec<u8>>,
}

/// Which stream it is, with what is noted of it beside the log lines.
enum Kind {
    /// A guest that goes on to write results has survived what it was refused.
    Stdout(Arc<Refusals>),
    /// Runtimes write errors to it also for want of memory, so that it says nothing about survival.
    Stderr(StderrTail),
}

impl Output {
    pub(crate) fn stdout(updates: Arc<GuestUpdates>, refusals: Arc<Refusals>) -> Self {
        Self::new(updates, Kind::Stdout(refusals))
    }

    pub(crate) fn stderr(updates: Arc<GuestUpdates>, tail: StderrTail) -> Self {
        Self::new(updates, Kind::Stderr(tail))
    }

    fn new(updates: Arc<GuestUpdates>, kind: Kind) -> Self {
        Self(Arc::new(Shared { updates, kind, line: Mutex::default() }))
    }
}

impl Shared {
    fn write(&self, bytes: &[u8]) {
        match &self.kind {
            Kind::Stdout(refusals) => refusals.mark_survived(),
            Kind::Stderr(tail) => tail.push(bytes),
        }
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            for part in piece.chunks(LINE_BYTES) {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") || line.len() >= LINE_BYTES {
                    self.log(&std::mem::take(&mut *line));
                }
            }
        }
    }

    fn log(&self, line: &[u8]) {
        // A character that was cut in two at the end of a piece is replaced; whole lines are not cut.
        let text = String::from_utf8_lossy(line);
        let message = escape(text.trim_end_matches(['\n', '\r']));
        let stream = match self.kind {
            Kind::Stdout(_) => LogStream::Stdout,
            Kind::Stderr(_) => LogStream::Stderr,
        };
        self.updates.log(GuestLine { level: LogLevel::Info, stream, message, fields: None });
    }
}

/// Logs a last line that has no line end.
impl Drop for Shared {
    fn drop(&mut self) {
        let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
        if !line.is_empty() {
            self.log(&line);
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        // There is always room: log lines that nobody takes are dropped, so that no guest is held up by them.
        Ok(WRITE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_arrive_whole_escaped_and_cut() {
        let updates = Arc::new(GuestUpdates::new());
        let output = Output::stdout(updates.clone(), Arc::default());
        output.0.write(b"one\ntw");
        output.0.write(b"o\x1b[31m\n");
        output.0.write(&vec![b'x'; LINE_BYTES + 1]);
        drop(output);
        let mut logs = updates.logs();
        let lines: Vec<_> = std::iter::from_fn(|| logs.try_recv()).map(|line| line.message).collect();
        assert_eq!(lines, ["one", "two\\u{1b}[31m", &"x".repeat(LINE_BYTES), "x"]);
    }
}
