//! Raising a storm, after all that it needs was made.

use std::{process::Command, thread};

use anyhow::Context;

use crate::{build, command, guests, repository::Repository, steps::Board, tools::server};

/// Runs the storm that `arguments` describe.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> anyhow::Result<()> {
    let board = Board::new(3);
    let ready = thread::scope(|scope| {
        let server = board.start(scope, (1, "nats-server"), |step| server::install(repository, step));
        let guests = board.start(scope, (2, "guests"), |step| guests::build(repository, step));
        let storm = board.start(scope, (3, "wasmhost"), |step| build::storm(repository, step));
        let (server, guests, storm) = (server.left(), guests.left(), storm.left());
        guests.and(storm).and(server)
    });
    let nats_server = board.result(ready)?;
    let mut chaos = Command::new(repository.program("chaos"));
    chaos
        // By habit people write `--` before the arguments of another program.
        .args(arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments))
        .env("WASMHOST_NATS_SERVER", &nats_server)
        .env("WASMHOST_BIN", repository.wasmhost());
    command::run(&mut chaos).context("the storm")
}
