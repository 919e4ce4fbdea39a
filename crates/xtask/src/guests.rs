//! Building the guests as components: the examples, and those that only the tests run.

use std::path::Path;

use crate::{command, repository::Repository, say::say, tools};

/// Builds every guest.
pub(crate) fn build(repository: &Repository) -> anyhow::Result<()> {
    build_examples(repository)?;
    build_workspace(repository, &repository.test_guests())
}

/// Builds the guest examples.
pub(crate) fn build_examples(repository: &Repository) -> anyhow::Result<()> {
    build_workspace(repository, &repository.examples())
}

fn build_workspace(repository: &Repository, workspace: &Path) -> anyhow::Result<()> {
    tools::install_wasm_target()?;
    say(format_args!("guests: building {}", workspace.display()));
    command::run(
        command::cargo(repository)
            .args(["build", "--release", "--target", "wasm32-wasip2", "--target-dir", "target"])
            .current_dir(workspace),
    )
}
