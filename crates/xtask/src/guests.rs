//! Building the guests as components: the examples, and those that only the tests run.

use std::path::Path;

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
    tools,
};

/// Builds every guest.
pub(crate) fn build(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    tools::wasm_target::install(step)?;
    build_workspace(repository, step, &repository.examples())?;
    build_workspace(repository, step, &repository.test_guests())?;
    Ok(((), "the examples and the guests of the tests".to_owned()))
}

/// Builds the guest examples.
pub(crate) fn build_examples(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    tools::wasm_target::install(step)?;
    build_workspace(repository, step, &repository.examples())?;
    Ok(((), "the examples".to_owned()))
}

fn build_workspace(repository: &Repository, step: &Step<'_>, workspace: &Path) -> anyhow::Result<()> {
    let mut cargo = command::cargo_with_bar(repository);
    cargo
        // `CARGO_TARGET_DIR` may name another directory, but tests and the demo look for the components in this one.
        .args(["build", "--release", "--target", "wasm32-wasip2", "--target-dir", "target"])
        .current_dir(workspace);
    step.call(cargo)
}
