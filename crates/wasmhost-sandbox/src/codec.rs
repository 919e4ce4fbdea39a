//! JSON ⇄ component values, guided by the component's own types: arguments before a run, the verdict after it. Knows
//! nothing of instances, and never fails for a reason that is not the text's or the value's.

mod arguments;
mod decode;
mod mismatch;
mod scalar;

mod base64;

mod encode;
mod failure;
mod text;
mod verdict;

pub(crate) use arguments::decode_arguments;
pub(crate) use base64::PATTERN as BASE64_PATTERN;
pub(crate) use verdict::{ResultError, encode_result};

#[cfg(test)]
mod tests;
