//! Reads and writes captures: one JSON object in each line, in any order, in one file or several. Nothing is decided here.

mod entry;

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;
use wasmhost_protocol::service::SubmitReply;

pub use entry::{
    Answer, Effect, Entry, Fault, Marker, Quiet, Remaining, ResultRead, Revision, Revoke, Span, Submit, Watch,
};

/// What was recorded of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capture {
    /// The entries, in any order.
    pub entries: Vec<Entry>,
}

/// Why a capture could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// A file cannot be read or written.
    #[error("use the capture {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not an entry of a capture.
    #[error("read the capture {file}, line {line}: {why}")]
    Line {
        /// The file.
        file: String,
        /// The line's number; the first is 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Capture {
    /// Reads several files as one capture.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Self, CaptureError> {
        let mut all = Self::default();
        for path in paths {
            let path = path.as_ref();
            let text = fs::read_to_string(path).map_err(at(path))?;
            all.entries.extend(Self::parse(&path.display().to_string(), &text)?.entries);
        }
        Ok(all)
    }

    /// Reads the text of a file whose name is `file`. Empty lines are skipped.
    pub fn parse(file: &str, text: &str) -> Result<Self, CaptureError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let entries = lines.map(|(at, line)| {
            entry(line).map_err(|why| CaptureError::Line { file: file.to_owned(), line: at + 1, why })
        });
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// The text of the capture, with one entry in each line.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let line =
            |entry| serde_json::to_string(entry).expect("every field of an entry can be written") + "\n";
        self.entries.iter().map(line).collect()
    }

    /// Writes the capture to a file and replaces what is there.
    pub fn write(&self, path: &Path) -> Result<(), CaptureError> {
        fs::write(path, self.to_lines()).map_err(at(path))
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CaptureError {
    let path = path.to_owned();
    move |source| CaptureError::File { path, source }
}

fn entry(line: &str) -> Result<Entry, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    // The field decides, and not an untagged enum, whose error would not say what is wrong with the line.
    if value.get("kind").is_some() {
        return serde_json::from_value(value).map_err(|error| error.to_string());
    }
    // What `wasmhost submit --json` and the submit service answer is an acceptance.
    let reply: SubmitReply = serde_json::from_value(value)
        .map_err(|error| format!("neither has it a `kind` nor is it the answer to a submit: {error}"))?;
    Ok(Entry::Submit(Submit { key: reply.key, answer: Answer::Accepted, at: None, args_digest: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_the_submit_command_is_an_acceptance() {
        let text = r#"{"key":"a.b.1","state":"PENDING","revision":7}"#;
        let capture = Capture::parse("submits", text).unwrap();
        let [Entry::Submit(submit)] = capture.entries.as_slice() else { panic!("{capture:?}") };
        assert_eq!((submit.key.as_str(), submit.answer), ("a.b.1", Answer::Accepted));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_file_and_line() {
        let good = r#"{"kind":"quiet","at":"2026-01-31T12:00:00Z"}"#;
        for bad in [
            r#"{"kind":"rumour","key":"a.b.1"}"#,
            r#"{"kind":"quiet"}"#,
            r#"{"kind":"quiet","at":"2026-01-31T12:00:00Z","extra":1}"#,
            r#"{"kind":"left","subject":"s","sequence":1,"key":"a.b"}"#,
            r#"{"key":"a.b.1"}"#,
            "[]",
            "{",
        ] {
            let error = Capture::parse("run.jsonl", &format!("{good}\n\n{bad}\n")).unwrap_err().to_string();
            assert!(error.starts_with("read the capture run.jsonl, line 3: "), "{error}");
        }
    }

    #[test]
    fn a_capture_reads_back() {
        let text = concat!(
            r#"{"kind":"submit","key":"a.b.1","answer":"unknown","at":null,"args_digest":"00"}"#,
            "\n",
            r#"{"kind":"revision","key":"a.b.1","revision":2,"previous":1,"stored_at":"2026-01-31T12:00:00.000Z","#,
            r#""record":{"state":"PENDING"},"marker":null}"#,
            "\n",
            r#"{"kind":"revision","key":"a.b.1","revision":3,"previous":null,"#,
            r#""stored_at":"2026-01-31T12:00:00.000Z","record":null,"marker":"PURGE"}"#,
            "\n",
            r#"{"kind":"span","first":1,"last":3}"#,
            "\n",
        );
        assert_eq!(Capture::parse("run", text).unwrap().to_lines(), text);
    }
}
