//! The compiler and clippy have nothing to say.

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Fails with every warning.
pub(super) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut cargo = command::cargo_with_bar(repository);
    cargo.args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    step.call(cargo)?;
    Ok(((), "no warning of clippy".to_owned()))
}
