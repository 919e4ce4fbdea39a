//! `wasmhost:task/log`: log lines with a level, cut and with control characters escaped, for the host to publish.

use wasmhost_protocol::json::Json;
use wasmhost_protocol::log::{LogLevel, LogStream};
use wasmhost_protocol::text::{escape, truncate};

use super::bindings::wasmhost::task::log::{Host, Level};
use crate::guest::TaskState;
use crate::output::LINE_BYTES;
use crate::updates::GuestLine;

impl Host for TaskState {
    async fn log(&mut self, level: Level, message: String, fields: Option<String>) {
        self.control.thawed().await;
        self.refusals.mark_survived();
        self.updates.log(GuestLine {
            level: level.into(),
            stream: LogStream::Guest,
            message: escape(truncate(&message, LINE_BYTES)),
            // Fields are never dropped for their form, since a log line is often all that is left of a failure.
            fields: fields.as_deref().and_then(object_or_text),
        });
    }
}

/// Fields that are a JSON object within the limit stay as they are. Anything else, such as an object with a name twice,
/// becomes a JSON string.
fn object_or_text(fields: &str) -> Option<Json> {
    let may_be_object = fields.len() <= LINE_BYTES && fields.trim_start().starts_with('{');
    let object = may_be_object.then(|| Json::parse(fields).ok()).flatten();
    object.or_else(|| Json::encode(&escape(truncate(fields, LINE_BYTES))).ok())
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}
