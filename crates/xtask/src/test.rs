//! Running the tests, after all that they need was made.

use anyhow::Context;

use crate::{command, guests, repository::Repository, tools};

/// Runs the tests that `arguments` of `cargo test` select.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> anyhow::Result<()> {
    let tools = tools::install(repository)?;
    guests::build(repository)?;
    command::build_with_faults(repository)?;
    command::build(repository)?;
    let mut test = command::cargo(repository);
    test.args(["test", "--workspace"])
        .args(arguments)
        .env("WASMHOST_NATS_SERVER", &tools.nats_server)
        .env("WASMHOST_BIN", repository.wasmhost())
        .env("WASMHOST_FAULTS_BIN", repository.wasmhost_with_faults());
    if let Some(oldest) = &tools.oldest_nats_server {
        test.env("WASMHOST_OLDEST_NATS_SERVER", oldest);
    }
    if let Some(nats) = &tools.nats_cli {
        test.env("WASMHOST_NATS_CLI", nats);
    }
    command::run(&mut test).context("the tests")
}
