//! Standard output and error of a guest: whole lines go to the updates, the end of standard error is kept for the
//! record, because that is where panics and tracebacks go.

mod tail;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmhost_protocol::text::escape;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::refusals::Refusals;
use crate::updates::{GuestUpdates, LogLevel, LogLine, LogStream};

pub(crate) use tail::StderrTail;

/// A line is cut into pieces of this many bytes.
pub(crate) const LINE_BYTES: usize = 8 << 10;
/// What a guest may write in one call.
const WRITE_BYTES: usize = 64 << 10;

/// One of the two streams.
#[derive(Clone)]
pub(crate) struct Output(Arc<Shared>);

struct Shared {
    stream: LogStream,
    updates: Arc<GuestUpdates>,
    end: End,
    line: Mutex<Vec<u8>>,
}

/// What a stream says of how the guest may end.
enum End {
    /// Whoever goes on writing results has survived what was refused.
    Alive(Arc<Refusals>),
    /// The last words.
    Words(StderrTail),
}

impl Output {
    pub(crate) fn stdout(updates: Arc<GuestUpdates>, refusals: Arc<Refusals>) -> Self {
        Self::new(LogStream::Stdout, updates, End::Alive(refusals))
    }

    pub(crate) fn stderr(updates: Arc<GuestUpdates>, tail: StderrTail) -> Self {
        Self::new(LogStream::Stderr, updates, End::Words(tail))
    }

    fn new(stream: LogStream, updates: Arc<GuestUpdates>, end: End) -> Self {
        Self(Arc::new(Shared { stream, updates, end, line: Mutex::default() }))
    }
}

impl Shared {
    fn write(&self, bytes: &[u8]) {
        match &self.end {
            End::Alive(refusals) => refusals.mark_survived(),
            End::Words(tail) => tail.push(bytes),
        }
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            for part in piece.chunks(LINE_BYTES) {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") || line.len() >= LINE_BYTES {
                    self.send(&std::mem::take(&mut *line));
                }
            }
        }
    }

    fn send(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let message = escape(text.trim_end_matches(['\n', '\r']));
        self.updates.log(LogLine { level: LogLevel::Info, stream: self.stream, message, fields: None });
    }
}

/// The last line needs no new line.
impl Drop for Shared {
    fn drop(&mut self) {
        let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
        if !line.is_empty() {
            self.send(&line);
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
