//! The demo: what it needs is made side by side, and nothing else; then it runs, and ends by itself.

use std::{process::Command, thread};

use anyhow::Context;

use crate::{build, command, guests, repository::Repository, steps::Board, tools::server};

/// Makes all that the demo needs, and runs it.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    let board = Board::new(4);
    let ready = thread::scope(|scope| {
        let server = board.start(scope, (1, "nats-server"), |step| server::install(repository, step));
        let guests = board.start(scope, (2, "guests"), |step| guests::build_examples(repository, step));
        let host = board.start(scope, (3, "wasmhost"), |step| build::demo(repository, step));
        let (server, guests, host) = (server.left(), guests.left(), host.left());
        guests.and(host).and(server)
    });
    let shown = ready.and_then(|nats_server| {
        board.run((4, "demo"), |step| {
            step.tell("one job of each guest example, and every transition");
            let mut demo = Command::new(repository.program("examples/demo"));
            demo.arg(repository.wasmhost()).arg(nats_server).arg(repository.examples());
            // It prints for people, whereas `call` would keep what it writes.
            command::run(&mut demo).context("the demo")?;
            Ok(((), "host and server have ended".to_owned()))
        })
    });
    board.result(shown)
}
