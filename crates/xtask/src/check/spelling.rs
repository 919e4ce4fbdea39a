//! Code and documents are spelt right.

use std::process::Command;

use crate::{
    repository::Repository,
    steps::{Ended, Step},
    tools::linters::TYPOS,
};

/// Fails with every wrong word.
pub(super) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut typos = Command::new(TYPOS.install(repository, step)?);
    typos.args(["--config", ".typos.toml"]).current_dir(&repository.root);
    step.call(typos)?;
    Ok(((), format!("no error, says typos {}", TYPOS.version)))
}
