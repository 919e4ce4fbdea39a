//! Building this workspace's programs. Every build here selects the whole workspace, and something (the demo) that takes
//! the dependencies of tests in: with another selection cargo would resolve other features for tokio, serde and their
//! like, and compile the engine, which depends on them, once more.

use std::process::Command;

use anyhow::Context;

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Builds what the demo runs, and nothing else.
pub(crate) fn demo(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    step.tell("compiling; with its engine that takes minutes, once");
    step.call(build(repository, &["--bin", "wasmhost", "--example", "demo"]))?;
    Ok(((), "built, with the demo".to_owned()))
}

/// Builds what a storm runs.
pub(crate) fn storm(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    step.call(build(repository, &["--bin", "wasmhost", "--bin", "chaos", "--example", "demo"]))?;
    Ok(((), "built, with the storm".to_owned()))
}

/// Builds the program as a release has it.
pub(crate) fn release(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    step.call(build(repository, &["--release", "--bin", "wasmhost", "--example", "demo"]))?;
    Ok(((), "built".to_owned()))
}

/// Builds every program and test; and `wasmhost` with faults on purpose, which goes first, as the one without has to be
/// what is left.
pub(crate) fn tests(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let faults = ["--bin", "wasmhost", "--example", "demo", "--features", "wasmhost-cli/faults"];
    step.call(build(repository, &faults))?;
    let (built, kept) = (repository.wasmhost(), repository.wasmhost_with_faults());
    // The next build writes over the program, because the names do not differ.
    std::fs::copy(&built, &kept).with_context(|| format!("copying {}", built.display()))?;
    step.call(build(repository, &["--all-targets"]))?;
    Ok(((), "built, with every program".to_owned()))
}

fn build(repository: &Repository, selection: &[&str]) -> Command {
    let mut cargo = command::cargo_with_bar(repository);
    cargo.args(["build", "--workspace"]).args(selection);
    cargo
}
