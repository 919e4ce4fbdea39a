//! The end of standard error, for the record of a job that failed: its last bytes, and the beginning of the guest's last
//! words, however long a trace follows them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use wasmhost_protocol::policy::Limits;

use crate::last_words::{self, Start};

/// What is kept of the end, of a line and of last words: each as much as a record takes of a text.
const KEPT_BYTES: usize = Limits::ERROR_TEXT_BYTES;

/// What is kept of standard error.
#[derive(Debug, Clone, Default)]
pub(crate) struct StderrTail(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Bytes written in all.
    written: u64,
    last: VecDeque<u8>,
    /// The line that is being written, and the one before it.
    line: Line,
    before: Line,
    words: Option<Line>,
}

/// The beginning of a line or of more, and where it stands.
#[derive(Debug, Clone, Default)]
struct Line {
    at: u64,
    bytes: Vec<u8>,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = KEPT_BYTES - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl StderrTail {
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            kept.push(piece);
        }
    }

    /// The text as written, without the rest of a line whose start is gone; where last words began before it, they stand
    /// first.
    pub(crate) fn text(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.note_words();
        kept.text().trim_end().trim_start_matches(['\n', '\r']).to_owned()
    }
}

impl Kept {
    /// Takes a line or a part of one.
    fn push(&mut self, piece: &[u8]) {
        if let Some(words) = &mut self.words {
            words.push(piece);
        }
        self.line.push(piece);
        self.written += piece.len() as u64;
        let excess = (self.last.len() + piece.len()).saturating_sub(KEPT_BYTES);
        self.last.drain(..excess.min(self.last.len()));
        self.last.extend(&piece[piece.len().saturating_sub(KEPT_BYTES)..]);
        if piece.ends_with(b"\n") {
            self.note_words();
            let next = Line { at: self.written, bytes: Vec::new() };
            self.before = std::mem::replace(&mut self.line, next);
        }
    }

    /// Whether last words begin with the line as far as it is written.
    fn note_words(&mut self) {
        self.words = match last_words::start(self.line.text().trim_end()) {
            Some(Start::ThisLine) => Some(self.line.clone()),
            Some(Start::PreviousLine) => {
                let mut words = self.before.clone();
                words.push(&self.line.bytes);
                Some(words)
            }
            None => return,
        };
    }

    fn text(&mut self) -> String {
        let first = self.written - self.last.len() as u64;
        let last = String::from_utf8_lossy(self.last.make_contiguous()).into_owned();
        let Some(words) = self.words.as_ref().filter(|words| words.at < first) else {
            return if first == 0 { last } else { after_first_line(&last).to_owned() };
        };
        let until_last = usize::try_from(first - words.at).unwrap_or(usize::MAX);
        let beginning = String::from_utf8_lossy(&words.bytes[..words.bytes.len().min(until_last)]);
        match until_last - beginning.len().min(until_last) {
            0 => format!("{beginning}{last}"),
            left_out => format!(
                "{}\n… {left_out} bytes left out …\n{}",
                beginning.trim_end(),
                after_first_line(&last)
            ),
        }
    }
}

fn after_first_line(text: &str) -> &str {
    text.split_once('\n').map_or(text, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_lines_are_kept() {
        let tail = StderrTail::default();
        for number in 0..2_000 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= KEPT_BYTES && text.ends_with("line 1999"));
        assert!(text.starts_with("line "));
    }

    #[test]
    fn last_words_stay_whatever_follows_them() {
        let frame = |number: usize| format!("  f@app.js:{number}:49\n");
        let trace: String = (0..2_000).map(frame).collect();
        for (beginning, end, message) in [
            (
                "panic: no customer\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:3 +0x2\n\n",
                "",
                "no customer (/a.go:3)",
            ),
            (
                "thread 'main' panicked at a.rs:1:2:\nno customer\nnote: that is all\n",
                "",
                "no customer (a.rs:1:2)",
            ),
            (
                "no customer\nStack:\n",
                "\nRedirecting call to abort() to mozalloc_abort\n",
                "no customer (app.js:0:49, in f)",
            ),
        ] {
            let tail = StderrTail::default();
            tail.push(b"loading\n");
            for piece in format!("{beginning}{trace}{end}").as_bytes().chunks(7) {
                tail.push(piece);
            }
            let text = tail.text();
            assert!(text.starts_with(beginning.trim_end()), "{text}");
            assert!(text.contains(" bytes left out …\n") && text.len() < 3 * KEPT_BYTES, "{text}");
            assert_eq!(last_words::read(&text).unwrap().message, message);
        }
    }

    #[test]
    fn a_line_without_an_end_counts_and_bytes_that_are_no_text_do_no_harm() {
        let tail = StderrTail::default();
        tail.push(b"thread 'main' panicked at 'no customer', a.rs:1:2");
        assert_eq!(last_words::read(&tail.text()).unwrap().message, "no customer (a.rs:1:2)");
        tail.push(&[0xff; 3 * KEPT_BYTES]);
        assert!(tail.text().starts_with("thread 'main' panicked at 'no customer'"));
    }
}
