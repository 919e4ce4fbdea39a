//! Every dependency is used, and may come in.

use std::process::Command;

use crate::{
    repository::Repository,
    steps::{Ended, Step},
    tools::linters::{DENY, MACHETE},
};

/// Fails with every dependency that no code names.
pub(super) fn unused(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut machete = Command::new(MACHETE.install(repository, step)?);
    // Without a path it would take the directory's symbolic links for crates.
    machete.arg(".").current_dir(&repository.root);
    step.call(machete)?;
    Ok(((), format!("none, says cargo-machete {}", MACHETE.version)))
}

/// Fails with every dependency whose licence or source is not allowed.
pub(super) fn allowed(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut deny = Command::new(DENY.install(repository, step)?);
    deny.args(["--config", ".deny.toml", "check", "bans", "licenses", "sources"])
        .current_dir(&repository.root);
    step.call(deny)?;
    Ok(((), format!("all allowed, says cargo-deny {}", DENY.version)))
}
