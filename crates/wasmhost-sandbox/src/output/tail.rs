//! The end of standard error, for the record of a job that fails: its last bytes, and before them the beginning of the
//! guest's last words, however long the trace is that follows those.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use wasmhost_protocol::policy::Limits;

use crate::last_words::{self, Start};

/// How much is kept of the end, of a line and of last words, in bytes each: as much as a record takes of a text.
const KEPT_BYTES: usize = Limits::ERROR_TEXT_BYTES;

/// What is kept of standard error. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct StderrTail(Arc<Mutex<Buffer>>);

impl StderrTail {
    /// Takes what the guest wrote.
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            buffer.push(piece);
        }
    }

    /// The last lines as they were written; where last words began before them, those come first.
    pub(crate) fn text(&self) -> String {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The line that is being written may be the first one of last words.
        buffer.note_last_words();
        buffer.text().trim_end().trim_start_matches(['\n', '\r']).to_owned()
    }
}

#[derive(Debug, Default)]
struct Buffer {
    /// How many bytes were written in all.
    written: u64,
    /// The last of them.
    end: VecDeque<u8>,
    current_line: Excerpt,
    previous_line: Excerpt,
    last_words: Option<Excerpt>,
}

/// The beginning of a line or of more, and its offset in what was written.
#[derive(Debug, Clone, Default)]
struct Excerpt {
    offset: u64,
    bytes: Vec<u8>,
}

impl Excerpt {
    /// Goes on with these bytes, as far as they are kept.
    fn push(&mut self, bytes: &[u8]) {
        let room = KEPT_BYTES - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Buffer {
    /// Takes a line or a part of one.
    fn push(&mut self, piece: &[u8]) {
        if let Some(last_words) = &mut self.last_words {
            last_words.push(piece);
        }
        self.current_line.push(piece);
        self.written += piece.len() as u64;
        let excess = (self.end.len() + piece.len()).saturating_sub(KEPT_BYTES);
        self.end.drain(..excess.min(self.end.len()));
        self.end.extend(&piece[piece.len().saturating_sub(KEPT_BYTES)..]);
        // A line is checked when it is whole: its beginning alone may be like last words that it is not.
        if piece.ends_with(b"\n") {
            self.note_last_words();
            let next_line = Excerpt { offset: self.written, bytes: Vec::new() };
            self.previous_line = std::mem::replace(&mut self.current_line, next_line);
        }
    }

    /// Begins to keep last words if the current line, as far as it is written, starts some.
    fn note_last_words(&mut self) {
        let last_words = match last_words::start(self.current_line.text().trim_end()) {
            Some(Start::ThisLine) => self.current_line.clone(),
            Some(Start::PreviousLine) => {
                let mut last_words = self.previous_line.clone();
                last_words.push(&self.current_line.bytes);
                last_words
            }
            None => return,
        };
        self.last_words = Some(last_words);
    }

    fn text(&mut self) -> String {
        let end_offset = self.written - self.end.len() as u64;
        let end = String::from_utf8_lossy(self.end.make_contiguous()).into_owned();
        match self.last_words.as_ref().filter(|last_words| last_words.offset < end_offset) {
            Some(last_words) => joined(last_words, &end, end_offset),
            None if end_offset == 0 => end,
            None => without_first_line(&end).to_owned(),
        }
    }
}

/// The beginning of last words and the end of the output, with a line between them that counts what is left out.
fn joined(last_words: &Excerpt, end: &str, end_offset: u64) -> String {
    let until_end = usize::try_from(end_offset - last_words.offset).unwrap_or(usize::MAX);
    let beginning = String::from_utf8_lossy(&last_words.bytes[..last_words.bytes.len().min(until_end)]);
    match until_end.saturating_sub(beginning.len()) {
        0 => format!("{beginning}{end}"),
        left_out => {
            let beginning = beginning.trim_end();
            format!("{beginning}\n… {left_out} bytes left out …\n{}", without_first_line(end))
        }
    }
}

/// A text without its first line, of which only a part is kept.
fn without_first_line(text: &str) -> &str {
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
