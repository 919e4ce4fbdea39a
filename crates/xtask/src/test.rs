//! Running the tests, after all that they need was made.

use std::thread;

use anyhow::Context;

use crate::{
    build, command, guests,
    repository::Repository,
    steps::Board,
    tools::{nats_cli, oldest_server, server},
};

/// Runs the tests that `arguments` of `cargo test` select.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> anyhow::Result<()> {
    let board = Board::new(5);
    let ready = thread::scope(|scope| {
        let server = board.start(scope, (1, "nats-server"), |step| server::install(repository, step));
        let oldest =
            board.start(scope, (2, "oldest nats-server"), |step| oldest_server::install(repository, step));
        let cli = board.start(scope, (3, "nats"), |step| nats_cli::install(repository, step));
        let guests = board.start(scope, (4, "guests"), |step| guests::build(repository, step));
        let tests = board.start(scope, (5, "tests"), |step| build::tests(repository, step));
        let (server, oldest, cli) = (server.left(), oldest.left(), cli.left());
        guests.left().and(tests.left()).and(server).zip(oldest).zip(cli)
    });
    let ((nats_server, oldest), nats_cli) = board.result(ready)?;
    let mut test = command::cargo(repository);
    test.args(["test", "--workspace"])
        .args(arguments)
        .env("WASMHOST_NATS_SERVER", &nats_server)
        .env("WASMHOST_BIN", repository.wasmhost())
        .env("WASMHOST_FAULTS_BIN", repository.wasmhost_with_faults());
    if let Some(oldest) = &oldest {
        test.env("WASMHOST_OLDEST_NATS_SERVER", oldest);
    }
    if let Some(nats) = &nats_cli {
        test.env("WASMHOST_NATS_CLI", nats);
    }
    command::run(&mut test).context("the tests")
}
