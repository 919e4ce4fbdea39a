//! Errors for the person at the terminal, and the exit codes that belong to them.

mod cli_error;
mod exit_code;
mod mapping;
pub(crate) mod passwords;
pub(crate) mod refused_value;
pub(crate) mod suggestion;

pub(crate) use cli_error::{CliError, chain};
pub(crate) use exit_code::Exit;
