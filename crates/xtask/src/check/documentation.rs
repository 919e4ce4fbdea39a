//! The documentation of the crates can be made, with no link in it that leads nowhere. Its examples run with the tests.

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Fails with every warning. The demo takes the dependencies of tests in, so that what the lints have compiled is used
/// again.
pub(super) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut cargo = command::cargo_with_bar(repository);
    cargo
        .args(["doc", "--workspace", "--no-deps", "--lib", "--bins", "--example", "demo"])
        .env("RUSTDOCFLAGS", "--deny warnings");
    step.call(cargo)?;
    Ok(((), "no warning of rustdoc".to_owned()))
}
