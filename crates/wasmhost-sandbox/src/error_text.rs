//! Texts of a guest in the form that records have them.

use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{cut_middle, escape_lines};

/// Escapes a text, and cuts it in its middle to the size that a record takes of it.
pub(crate) fn clip(text: &str) -> String {
    cut_middle(&escape_lines(text), Limits::ERROR_TEXT_BYTES, "lines")
}
