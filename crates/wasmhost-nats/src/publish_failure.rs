//! Why a publish has no acknowledgement.

use std::error::Error as _;

use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};

use crate::codes::{CONFLICTS, FULL, OFF, TOO_LARGE, TRY_AGAIN};
use crate::fixes::room_fix;

/// Status of an answer that another try may change.
const UNAVAILABLE: usize = 503;

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
