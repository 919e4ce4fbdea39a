//! Why a publish has no acknowledgement, as far as a writer has to tell the reasons apart. Each operation makes its own
//! error of it.

use crate::codes::{CONFLICTS, FULL, OFF, TOO_LARGE, TRY_AGAIN};
use crate::fixes::room_fix;

/// The status of an answer that another try may change.
const UNAVAILABLE: usize = 503;

/// Why a publish has no acknowledgement.
#[derive(Debug)]
pub(crate) enum PublishFailure {
    /// Another revision is the newest.
    Conflict,
    /// The message may be stored or not, or may still be stored later.
    Unknown(String),
    /// No stream takes the subject: the message is not stored.
    NoStream(String),
    /// There is no room: the message is not stored.
    Full(String),
    /// The message is over a size limit.
    TooLarge,
    /// The server refuses the message, and would refuse it again.
    Refused(String),
}

impl PublishFailure {
    /// Whether the message may be stored, or may be stored later.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The reason as a text for an error message.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Conflict => "another message stands".to_owned(),
            Self::TooLarge => "it is too large".to_owned(),
            Self::Unknown(text) | Self::NoStream(text) | Self::Full(text) | Self::Refused(text) => text,
        }
    }

    /// What an error code of JetStream means for the writer. `status` is that of the answer, as in HTTP.
    pub(crate) fn from_code(code: u64, status: usize, text: String) -> Self {
        if CONFLICTS.contains(&code) {
            Self::Conflict
        } else if FULL.contains(&code) {
            // Asked before the status, since a full stream answers with 503, too.
            Self::Full(format!("{text}; {}", room_fix(code, &text)))
        } else if code == TOO_LARGE {
            Self::TooLarge
        } else if TRY_AGAIN.contains(&code) || OFF.contains(&code) || status == UNAVAILABLE {
            // A server that starts or ends says for a moment that JetStream is off.
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
        let of = |code, status| PublishFailure::from_code(code, status, String::new());
        assert!(matches!(of(10071, 400), PublishFailure::Conflict));
        assert!(matches!(of(10164, 400), PublishFailure::Conflict));
        assert!(matches!(of(10163, 400), PublishFailure::Unknown(_)));
        assert!(matches!(of(10158, 400), PublishFailure::Unknown(_)));
        assert!(matches!(of(10999, 503), PublishFailure::Unknown(_)));
        assert!(matches!(of(10039, 400), PublishFailure::Unknown(_)), "off for a moment");
        assert!(matches!(of(10077, 503), PublishFailure::Full(_)));
        assert!(matches!(of(10047, 500), PublishFailure::Full(_)));
        assert!(matches!(of(10054, 400), PublishFailure::TooLarge));
        assert!(matches!(of(10166, 400), PublishFailure::Refused(_)));
    }
}
