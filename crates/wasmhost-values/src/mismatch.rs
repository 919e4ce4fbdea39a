//! A JSON value that does not fit its type, and where it stands.

use serde_json::value::RawValue;
use wasmhost_protocol::text::{escape, known_names, truncate};

use crate::types::Type;

/// A value or a type longer than this is cut where it is shown, in bytes.
const SHOWN_BYTES: usize = 40;
/// A type longer than this is cut, in bytes.
const SHOWN_TYPE_BYTES: usize = 80;

/// What does not fit; the path grows from the inside out on the error's way up.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.strip_prefix('.').unwrap_or(path))]
pub struct Mismatch {
    path: String,
    problem: String,
}

impl Mismatch {
    /// A problem of the value itself.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { path: String::new(), problem: problem.into() }
    }

    /// The value is of another JSON kind than the type takes.
    pub(crate) fn kind(ty: &Type, raw: &RawValue) -> Self {
        Self::found(&shown_type(ty), raw)
    }

    /// The value is something else than `expected`.
    pub(crate) fn found(expected: &str, raw: &RawValue) -> Self {
        let (kind, text) = (kind(raw.get()), shown(raw.get()));
        let found = if kind == text { text } else { format!("{kind} {text}") };
        Self::new(format!("expected {expected}, found {found}"))
    }

    /// There is no value.
    pub(crate) fn missing(ty: &Type) -> Self {
        Self::new(format!("missing: expected {}", shown_type(ty)))
    }

    /// A name that is none of `names`.
    pub(crate) fn unknown<'a, N>(name: &str, names: N) -> Self
    where
        N: IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator + Clone>,
    {
        Self::new(format!("unknown; {}", known_names(name, names))).in_field(name)
    }

    /// The same problem, seen from the value whose field or case `name` has it.
    pub(crate) fn in_field(self, name: &str) -> Self {
        Self { path: format!(".{}{}", escape(truncate(name, 128)), self.path), ..self }
    }

    /// The same problem, seen from the array whose element has it.
    pub(crate) fn in_item(self, index: usize) -> Self {
        Self { path: format!("[{index}]{}", self.path), ..self }
    }
}

/// A JSON text as it is shown: cut, and safe to print.
pub(crate) fn shown(text: &str) -> String {
    let start = truncate(text, SHOWN_BYTES);
    let cut = if start.len() < text.len() { "…" } else { "" };
    format!("{}{cut}", escape(start))
}

/// A type as it is shown.
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
