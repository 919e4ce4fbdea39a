//! Running the tests, after all that they need was made.

use std::{path::PathBuf, process::Command, thread};

use anyhow::Context;

use crate::{
    build, command, guests,
    repository::Repository,
    steps::Board,
    tools::{componentize, nats_cli, oldest_server, server},
};

/// What the tests run beside the programs of this workspace.
pub(crate) struct Programs {
    nats_server: PathBuf,
    oldest_nats_server: Option<PathBuf>,
    nats_cli: Option<PathBuf>,
}

/// Runs the tests that `arguments` of `cargo test` select.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> anyhow::Result<()> {
    let programs = prepare(repository)?;
    run_with(repository, &programs, arguments)
}

/// Makes everything that the tests need, side by side.
pub(crate) fn prepare(repository: &Repository) -> anyhow::Result<Programs> {
    let board = Board::new(6);
    let ready = thread::scope(|scope| {
        let server = board.start(scope, (1, "nats-server"), |step| server::install(repository, step));
        let oldest =
            board.start(scope, (2, "oldest nats-server"), |step| oldest_server::install(repository, step));
        let cli = board.start(scope, (3, "nats"), |step| nats_cli::install(repository, step));
        let guests = board.start(scope, (4, "guests"), |step| guests::build(repository, step));
        let tests = board.start(scope, (5, "tests"), |step| build::tests(repository, step));
        let componentize =
            board.start(scope, (6, "componentize"), |step| componentize::install(repository, step));
        let server = server.left();
        let oldest = oldest.left();
        let cli = cli.left();
        guests.left().and(tests.left()).and(componentize.left()).and(server).zip(oldest).zip(cli)
    });
    let ((nats_server, oldest_nats_server), nats_cli) = board.result(ready)?;
    Ok(Programs { nats_server, oldest_nats_server, nats_cli })
}

/// Runs the tests, with the input and output of this program.
pub(crate) fn run_with(
    repository: &Repository,
    programs: &Programs,
    arguments: &[String],
) -> anyhow::Result<()> {
    let mut test = command::cargo(repository);
    test.args(["test", "--workspace"])
        .args(arguments)
        .env("WASMHOST_NATS_SERVER", &programs.nats_server)
        .env("WASMHOST_BIN", repository.wasmhost())
        .env("WASMHOST_FAULTS_BIN", repository.wasmhost_with_faults());
    name(&mut test, "WASMHOST_OLDEST_NATS_SERVER", programs.oldest_nats_server.as_ref());
    name(&mut test, "WASMHOST_NATS_CLI", programs.nats_cli.as_ref());
    command::run(&mut test).context("the tests")
}

fn name(test: &mut Command, variable: &str, program: Option<&PathBuf>) {
    if let Some(program) = program {
        test.env(variable, program);
    }
}
