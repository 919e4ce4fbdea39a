//! No dependency has a known weakness. It is no check of a commit: the database, which is fetched from GitHub, grows every
//! day.

use std::process::Command;

use crate::{
    repository::Repository,
    steps::{Ended, Step},
    tools::linters::DENY,
};

/// Fails with every advisory.
pub(crate) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut deny = Command::new(DENY.install(repository, step)?);
    deny.args(["--config", ".deny.toml", "check", "advisories"]).current_dir(&repository.root);
    step.call(deny)?;
    Ok(((), "none is known".to_owned()))
}
