//! What flags, variables and files say, as values that the other crates take.

pub(crate) mod flag_values;

pub(crate) mod connection;
mod context;
mod secret;

pub(crate) mod settings;

pub(crate) mod ceilings;
pub(crate) mod serve_file;

pub(crate) mod policy_file;
mod toml_file;
mod toml_reader;
