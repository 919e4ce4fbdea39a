//! What flags, variables and files say, as values that the other crates take.

pub(crate) mod ceilings;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod flag_values;
pub(crate) mod secret;
pub(crate) mod serve_file;
pub(crate) mod settings;
pub(crate) mod toml_file;
