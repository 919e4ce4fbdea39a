//! Reads and writes the headers of a job. Of the headers `Wasmhost-*` every one must be known, readable and
//! within its bounds; all others are ignored. Whether a value is within the module's policy or the host's
//! ceiling is decided at the claim.

mod bad_header;
mod fields;
mod options;
mod parse;
#[cfg(test)]
mod tests;

pub use bad_header::BadHeader;
pub use options::{HeaderScope, JobOptions};
