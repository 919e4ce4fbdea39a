//! Building the guest examples.

use crate::{command, repository::Repository, say::say, tools};

/// Builds every guest example as a component.
pub(crate) fn build(repository: &Repository) -> anyhow::Result<()> {
    tools::install_wasm_target()?;
    say("guests: building");
    command::run(
        command::cargo(repository)
            .args(["build", "--release", "--target", "wasm32-wasip2", "--target-dir", "target"])
            .current_dir(repository.guests()),
    )
}
