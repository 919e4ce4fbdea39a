//! Raising a storm, after all that it needs was made.

use std::process::Command;

use anyhow::Context;

use crate::{command, guests, repository::Repository, tools};

/// Runs the storm that `arguments` describe.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> anyhow::Result<()> {
    let tools = tools::install(repository)?;
    guests::build(repository)?;
    command::build(repository)?;
    let mut chaos = Command::new(repository.program("chaos"));
    chaos
        // What stands before the arguments of another program, by habit.
        .args(arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments))
        .env("WASMHOST_NATS_SERVER", &tools.nats_server)
        .env("WASMHOST_BIN", repository.wasmhost());
    command::run(&mut chaos).context("the storm")
}
