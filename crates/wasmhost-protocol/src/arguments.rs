//! The digest of a job's arguments, by which a job that is submitted twice is recognised as one job. It is the digest
//! of the arguments' [canonical form](canonical), so that other spaces or another order of keys do not make another
//! job.

use crate::digest::Digest;
use crate::json::canonical;

/// Computes the digest of a job's arguments: that of their canonical form.
#[must_use]
pub fn args_digest(arguments: &[u8]) -> Digest {
    Digest::of(&canonical(arguments))
}

/// Returns whether a record's `args_digest` is that of these arguments.
///
/// The digest of the text as it was sent is accepted too. Older clients wrote that one, and a submitter that has no
/// canonical form may take it.
#[must_use]
pub fn is_args_digest(digest: Digest, arguments: &[u8]) -> bool {
    // The text is compared first: most programs write JSON in its canonical form, and this digest costs less.
    digest == Digest::of(arguments) || digest == args_digest(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_in_another_layout_have_the_same_digest() {
        let spaced = br#"{ "b": 1, "a": 2 }"#;
        assert_eq!(args_digest(spaced), Digest::of(br#"{"a":2,"b":1}"#));
        assert!(is_args_digest(args_digest(spaced), br#"{"a":2,"b":1}"#));
        assert!(is_args_digest(Digest::of(spaced), spaced), "the digest of the text itself");
        assert!(!is_args_digest(Digest::of(spaced), br#"{"a":2,"b":1}"#), "the digest of another text");
    }
}
