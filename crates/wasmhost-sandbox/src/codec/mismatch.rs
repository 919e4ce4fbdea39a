//! A JSON value that does not fit its type, and where it stands.

use serde_json::value::RawValue;
use wasmhost_protocol::{escape, nearest, truncate};
use wasmtime::component::Type;

use crate::signature::type_name;

/// What does not fit; the path grows from the inside out on the error's way up.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.strip_prefix('.').unwrap_or(path))]
pub(crate) struct Mismatch {
    path: String,
    problem: String,
}

impl Mismatch {
    /// A problem of the value itself.
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { path: String::new(), problem: problem.into() }
    }

    /// The value is of another JSON kind than the type takes.
    pub(super) fn kind(ty: &Type, raw: &RawValue) -> Self {
        Self::new(format!("expected {}, found {}", truncate(&type_name(ty), 80), kind(raw.get())))
    }

    /// A name that is none of `names`.
    pub(super) fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let problem = match nearest(name, names) {
            Some((near, _)) => format!("unknown; the nearest name is `{near}`"),
            None => "unknown; there are no names".to_owned(),
        };
        Self::new(problem).in_field(name)
    }

    /// The same problem, seen from the value whose field or case `name` has it.
    pub(super) fn in_field(self, name: &str) -> Self {
        Self { path: format!(".{}{}", escape(truncate(name, 128)), self.path), ..self }
    }

    /// The same problem, seen from the array whose element has it.
    pub(super) fn in_item(self, index: usize) -> Self {
        Self { path: format!("[{index}]{}", self.path), ..self }
    }
}

/// The kind of a JSON text.
pub(super) fn kind(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "boolean",
        Some(b'"') => "string",
        Some(b'[') => "array",
        Some(b'{') => "object",
        _ => "number",
    }
}
