//! `list<u8>` as text. Standard and URL-safe base64 are accepted, with or without padding; standard base64 with padding
//! is written.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What [`decode`] accepts, as a regular expression.
pub(crate) const PATTERN: &str = "^([A-Za-z0-9+/_-]{4})*([A-Za-z0-9+/_-]{2}(==)?|[A-Za-z0-9+/_-]{3}=?)?$";

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        // A regular expression cannot tell whether the last bits are zero, and the schema has to accept the same texts.
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64; none where the text is something else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let padding = text.len() - text.trim_end_matches('=').len();
    // The engine would accept a part of the padding.
    if padding > 0 && !text.len().is_multiple_of(4) {
        return None;
    }
    if text.contains(['-', '_']) {
        ENGINE.decode(text.replace('-', "+").replace('_', "/")).ok()
    } else {
        ENGINE.decode(text).ok()
    }
}

/// Encodes bytes as standard base64 with padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read_with_or_without_padding() {
        for text in ["+/8=", "+/8", "-_8=", "-_8", "-/8"] {
            assert_eq!(decode(text).as_deref(), Some(&[0xfb, 0xff][..]), "{text}");
        }
        assert_eq!(decode("").as_deref(), Some(&[][..]));
        assert_eq!(decode("AA==").as_deref(), Some(&[0][..]));
        for text in ["A", "AA=", "AAA==", "AA= =", "A A A", "AAAA=", "AAAA====", "====", "AAA\n", "ä"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
    }
}
