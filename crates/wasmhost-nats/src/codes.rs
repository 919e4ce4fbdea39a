//! The error codes of JetStream that the protocol tells apart, and what each means for the writer.

use std::error::Error as _;

use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};

/// "No message found."
pub const NO_MESSAGE: u64 = 10037;
/// "No message found", or "stream store EOF": there is nothing to delete under the sequence.
pub const NOT_DELETED: u64 = 10057;
/// "JetStream not enabled for account", "JetStream not enabled."
pub const OFF: [u64; 2] = [10039, 10076];
/// "Stream not found."
pub const NO_STREAM: u64 = 10059;
/// "Wrong last sequence", and the same while another write is in flight on a replicated stream.
pub const CONFLICTS: [u64; 2] = [10071, 10164];
/// The server could not take the write now: no leader, too many in flight, temporarily unavailable.
pub const TRY_AGAIN: [u64; 4] = [10163, 10158, 10008, 10009];
/// Message or account limits, storage or memory exhausted.
pub const FULL: [u64; 5] = [10077, 10023, 10047, 10002, 10028];
/// "Message size exceeds maximum allowed."
pub const TOO_LARGE: u64 = 10054;

/// "Maximum consumers limit reached."
pub const CONSUMERS_LIMIT: u64 = 10026;
/// "Maximum number of streams reached."
const STREAMS_LIMIT: u64 = 10027;
/// "Replicas > 1 not supported in non-clustered mode", "no suitable peers for placement".
const REPLICAS: [u64; 2] = [10074, 10005];
/// "Account requires a stream config to have max bytes set."
const BYTES_REQUIRED: u64 = 10113;
/// "Stream max bytes exceeds account limit max stream bytes."
const STREAM_BYTES: u64 = 10122;
/// "Maximum bytes exceeded", "maximum messages exceeded" and what else keeps a message out of its stream.
const NOT_STORED: u64 = 10077;

/// Status of an answer that another try may change.
const UNAVAILABLE: usize = 503;

/// Why the server makes no consumer on `stream`, with the fix where its number is the reason.
pub(crate) fn consumer_refusal(stream: &str, error: &jetstream::Error) -> String {
    if error.error_code().0 != CONSUMERS_LIMIT {
        return error.to_string();
    }
    format!(
        "`{stream}` has as many consumers as it may, by its `max_consumers` or by a limit of the account: see `nats consumer \
         ls {stream}` for those that nobody needs"
    )
}

/// The setting that would let the server make a stream that it refuses; `bytes` is what all of them reserve.
pub(crate) fn stream_fix(code: u64, bytes: u64) -> Option<String> {
    let reserved = bytes.div_ceil(1 << 20);
    Some(match code {
        STREAMS_LIMIT => "raise `max_streams` of the account: nine are needed".to_owned(),
        CONSUMERS_LIMIT => "raise `max_consumers` of the account".to_owned(),
        BYTES_REQUIRED => {
            "turn `max_bytes_required` of the account off: records, modules and schedules are kept without a bound".to_owned()
        }
        STREAM_BYTES => {
            "raise `store_max_stream_bytes` of the account, or give less with `--storage`".to_owned()
        }
        code if REPLICAS.contains(&code) => {
            "give fewer `--replicas`, or run as many servers with JetStream in the cluster".to_owned()
        }
        code if FULL.contains(&code) => format!(
            "the streams with a bound reserve {reserved} MiB: give less with `--storage`, or raise `max_file` of the account \
             or `max_file_store` of the server, within what its disk has"
        ),
        _ => return None,
    })
}

/// The setting that keeps a message out.
fn room_fix(code: u64, text: &str) -> &'static str {
    match code {
        NOT_STORED if text.contains("maximum bytes") => {
            "raise `max_bytes` of the stream (`nats stream edit`)"
        }
        NOT_STORED if text.contains("maximum messages") => {
            "raise `max_msgs` of the stream (`nats stream edit`)"
        }
        NOT_STORED => "see the log of nats-server",
        _ => "raise `max_file` of the account or `max_file_store` of the server",
    }
}

/// Why a publish has no acknowledgement.
#[derive(Debug)]
pub(crate) enum Unstored {
    /// Another revision stands.
    Conflict,
    /// It may have been stored or not, or could be stored later.
    Unknown(String),
    /// Nobody listens: it was not stored.
    Unheard(String),
    /// There is no room.
    Full(String),
    /// The message is over a size limit.
    TooLarge,
    /// The server refuses it, and would again.
    Refused(String),
}

impl From<PublishError> for Unstored {
    fn from(error: PublishError) -> Self {
        let text = error.to_string();
        if let Some(server) = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>()) {
            return Self::from_code(server.error_code().0, server.code(), text);
        }
        match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Self::TooLarge,
            PublishErrorKind::WrongLastMessageId | PublishErrorKind::WrongLastSequence => Self::Conflict,
            PublishErrorKind::StreamNotFound => Self::Unheard(text),
            PublishErrorKind::TimedOut
            | PublishErrorKind::BrokenPipe
            | PublishErrorKind::MaxAckPending
            | PublishErrorKind::Other => Self::Unknown(text),
        }
    }
}

impl Unstored {
    /// Whether it may have been stored, or could be later.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Why, for people.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Conflict => "another message stands".to_owned(),
            Self::TooLarge => "it is too large".to_owned(),
            Self::Unknown(text) | Self::Unheard(text) | Self::Full(text) | Self::Refused(text) => text,
        }
    }

    pub(crate) fn from_code(code: u64, status: usize, text: String) -> Self {
        if CONFLICTS.contains(&code) {
            Self::Conflict
        } else if FULL.contains(&code) {
            Self::Full(format!("{text}; {}", room_fix(code, &text)))
        } else if code == TOO_LARGE {
            Self::TooLarge
        } else if TRY_AGAIN.contains(&code) || OFF.contains(&code) || status == UNAVAILABLE {
            Self::Unknown(text)
        } else {
            Self::Refused(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_means_what_the_protocol_says() {
        let of = |code, status| Unstored::from_code(code, status, String::new());
        assert!(matches!(of(10071, 400), Unstored::Conflict));
        assert!(matches!(of(10164, 400), Unstored::Conflict));
        assert!(matches!(of(10163, 400), Unstored::Unknown(_)));
        assert!(matches!(of(10158, 400), Unstored::Unknown(_)));
        assert!(matches!(of(10999, 503), Unstored::Unknown(_)));
        assert!(matches!(of(10039, 400), Unstored::Unknown(_)), "off for a moment");
        assert!(matches!(of(10077, 503), Unstored::Full(_)));
        assert!(matches!(of(10047, 500), Unstored::Full(_)));
        assert!(matches!(of(10054, 400), Unstored::TooLarge));
        assert!(matches!(of(10166, 400), Unstored::Refused(_)));
    }
}
