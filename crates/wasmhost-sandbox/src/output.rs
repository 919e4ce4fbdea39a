//! Standard output and error of a guest: whole lines go to the mailbox, the last bytes of standard error are kept for
//! the fault, because that is where panics and tracebacks go.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmhost_protocol::{Limits, escape};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::mailbox::{LogLevel, LogLine, LogStream, Mailbox};

/// A line is cut into pieces of this many bytes.
pub(crate) const LINE_BYTES: usize = 8 << 10;
/// What a guest may write in one call.
const WRITE_BYTES: usize = 64 << 10;

/// The last bytes of standard error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(Limits::ERROR_TEXT_BYTES)..];
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let excess = (kept.len() + bytes.len()).saturating_sub(Limits::ERROR_TEXT_BYTES);
        kept.drain(..excess);
        kept.extend(bytes);
    }

    /// The text as written, without the rest of a line whose start is gone.
    pub(crate) fn text(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(kept.make_contiguous());
        let whole = if text.len() < Limits::ERROR_TEXT_BYTES { &*text } else { after_first_line(&text) };
        whole.trim_end().trim_start_matches(['\n', '\r']).to_owned()
    }
}

fn after_first_line(text: &str) -> &str {
    text.split_once('\n').map_or(text, |(_, rest)| rest)
}

/// One of the two streams.
#[derive(Clone)]
pub(crate) struct Output(Arc<Shared>);

struct Shared {
    stream: LogStream,
    mailbox: Arc<Mailbox>,
    tail: Option<Tail>,
    line: Mutex<Vec<u8>>,
}

impl Output {
    pub(crate) fn stdout(mailbox: Arc<Mailbox>) -> Self {
        Self::new(LogStream::Stdout, mailbox, None)
    }

    pub(crate) fn stderr(mailbox: Arc<Mailbox>, tail: Tail) -> Self {
        Self::new(LogStream::Stderr, mailbox, Some(tail))
    }

    fn new(stream: LogStream, mailbox: Arc<Mailbox>, tail: Option<Tail>) -> Self {
        Self(Arc::new(Shared { stream, mailbox, tail, line: Mutex::default() }))
    }
}

impl Shared {
    fn write(&self, bytes: &[u8]) {
        if let Some(tail) = &self.tail {
            tail.push(bytes);
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
        self.mailbox.log(LogLine { level: LogLevel::Info, stream: self.stream, message, fields: None });
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
        let mailbox = Arc::new(Mailbox::new());
        let output = Output::stdout(mailbox.clone());
        output.0.write(b"one\ntw");
        output.0.write(b"o\x1b[31m\n");
        output.0.write(&vec![b'x'; LINE_BYTES + 1]);
        drop(output);
        let mut logs = mailbox.logs();
        let lines: Vec<_> = std::iter::from_fn(|| logs.try_recv().ok()).map(|line| line.message).collect();
        assert_eq!(lines, ["one", "two\\u{1b}[31m", &"x".repeat(LINE_BYTES), "x"]);
    }

    #[test]
    fn the_tail_keeps_the_last_whole_lines() {
        let tail = Tail::default();
        for number in 0..2_000 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= Limits::ERROR_TEXT_BYTES && text.ends_with("line 1999"));
        assert!(text.starts_with("line "));
    }
}
