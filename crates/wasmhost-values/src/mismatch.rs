//! A JSON value that does not fit its type, and where it stands.

use serde_json::value::RawValue;
use wasmhost_protocol::text::{escape, known_names, truncate};

use crate::types::Type;

/// The most bytes that are shown of a value.
const SHOWN_BYTES: usize = 40;
/// The most bytes that are shown of a type.
const SHOWN_TYPE_BYTES: usize = 80;
/// The most bytes of a name in a path.
const PATH_NAME_BYTES: usize = 128;

/// A JSON value that does not fit its type. The error shows the path to the value and the problem, such as
/// `items[3].name: missing: expected string`.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.strip_prefix('.').unwrap_or(path))]
pub struct Mismatch {
    /// The path from the value that the caller has to the one that does not fit; each caller adds its step in front.
    path: String,
    problem: String,
}

impl Mismatch {
    /// A problem of the value itself.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { path: String::new(), problem: problem.into() }
    }

    /// The value is of another JSON kind than its type.
    pub(crate) fn kind(ty: &Type, raw: &RawValue) -> Self {
        Self::found(&shown_type(ty), raw)
    }

    /// The value is something else than `expected`.
    pub(crate) fn found(expected: &str, raw: &RawValue) -> Self {
        let kind = kind(raw.get());
        let text = shown(raw.get());
        // `null` is a kind and a text.
        let found = if kind == text { text } else { format!("{kind} {text}") };
        Self::new(format!("expected {expected}, found {found}"))
    }

    /// There is no value where one is required.
    pub(crate) fn missing(ty: &Type) -> Self {
        Self::new(format!("missing: expected {}", shown_type(ty)))
    }

    /// The name is none of `names`.
    pub(crate) fn unknown<'a, N>(name: &str, names: N) -> Self
    where
        N: IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator + Clone>,
    {
        Self::new(format!("unknown; {}", known_names(name, names))).in_field(name)
    }

    /// The same problem, seen from the value whose field or case `name` has it.
    pub(crate) fn in_field(self, name: &str) -> Self {
        // Names come from the arguments, and may be as long as these.
        Self { path: format!(".{}{}", escape(truncate(name, PATH_NAME_BYTES)), self.path), ..self }
    }

    /// The same problem, seen from the array whose item has it.
    pub(crate) fn in_item(self, index: usize) -> Self {
        Self { path: format!("[{index}]{}", self.path), ..self }
    }
}

/// A JSON text as errors show it: cut, with control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    let start = truncate(text, SHOWN_BYTES);
    let ellipsis = if start.len() < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", escape(start))
}

/// A type as errors show it.
pub(crate) fn shown_type(ty: &Type) -> String {
    let text = ty.wit();
    let start = truncate(&text, SHOWN_TYPE_BYTES);
    if start.len() < text.len() { format!("{start}…") } else { text }
}

/// The kind of a JSON text.
pub(crate) fn kind(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "boolean",
        Some(b'"') => "string",
        Some(b'[') => "array",
        Some(b'{') => "object",
        _ => "number",
    }
}
