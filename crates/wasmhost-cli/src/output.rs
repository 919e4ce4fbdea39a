//! What the program prints: results on standard output, everything else on standard error.

pub(crate) mod follower;
pub(crate) mod module;
mod progress;
pub(crate) mod render;
pub(crate) mod table;
mod terminal;

pub(crate) use terminal::{json, line, note, report, safe_json, stderr_is_live, text};
