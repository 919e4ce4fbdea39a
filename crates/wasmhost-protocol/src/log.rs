//! Log lines, as hosts publish them on the log subject of a job
//! ([names.md](https://github.com/wasmhost/wasmhost/blob/main/docs/names.md#log-lines)).

use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::timestamp::Timestamp;

/// A `LogLine` is one line in its published form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When the host published the line.
    pub at: Timestamp,
    /// The number of the attempt that logged it.
    pub attempt: u32,
    /// The level of the line.
    pub level: LogLevel,
    /// The source of the line.
    pub stream: LogStream,
    /// The text, with control characters escaped.
    pub message: String,
    /// What the guest logged beside the text: a JSON object, or a JSON string where it was no object.
    #[serde(default)]
    pub fields: Option<Json>,
}

/// A `LogLevel` is how much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Every step of the program.
    Trace,
    /// What the author of the program may want to know.
    Debug,
    /// What happens as it should.
    Info,
    /// Something is unusual.
    Warn,
    /// Something is wrong.
    Error,
}

impl LogLevel {
    /// Returns the level as it is published.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A `LogStream` is where a log line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogStream {
    /// The interface `wasmhost:task/log`.
    Guest,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The host itself.
    Host,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_published_in_the_documented_form() {
        let text = r#"{"at":"2026-01-31T12:00:00.000Z","attempt":2,"level":"warn","stream":"stderr","message":"x","fields":{"a": 1}}"#;
        let line: LogLine = serde_json::from_str(text).unwrap();
        assert_eq!((line.level.as_str(), line.stream), ("warn", LogStream::Stderr));
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        let without_fields = text.replace(r#","fields":{"a": 1}"#, "");
        assert_eq!(serde_json::from_str::<LogLine>(&without_fields).unwrap().fields, None);
    }

    #[test]
    fn each_level_is_written_as_it_is_read() {
        for level in [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error] {
            assert_eq!(serde_json::to_string(&level).unwrap(), format!("{:?}", level.as_str()));
        }
    }
}
