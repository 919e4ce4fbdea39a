//! What is wrong with a value, in the words of its parser: clap puts the name of the flag around them, and repeats a
//! password that an address has.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue};
use wasmhost_protocol::text::escape;

use super::passwords::without_passwords;

/// What is wrong with the value that clap refuses with `error`.
pub(crate) fn refused_value(error: &clap::Error) -> String {
    // A parser of ours says what it wants; of the others clap knows at most the possible values.
    if let Some(source) = error.source() {
        return without_passwords(&source.to_string());
    }
    let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
    let value = escape(&without_passwords(&value));
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
            format!("`{value}` is none of {}", valid.join(", "))
        }
        _ => format!("`{value}` is no value for it"),
    }
}

/// A text that belongs to the error, such as the argument or the value.
pub(crate) fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}
