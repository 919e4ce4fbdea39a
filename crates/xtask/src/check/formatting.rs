//! Every workspace is formatted.

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Fails with what differs.
pub(super) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    for workspace in repository.workspaces() {
        let mut cargo = command::cargo(repository);
        cargo.args(["fmt", "--all", "--check"]).current_dir(workspace);
        step.call(cargo)?;
    }
    Ok(((), "the workspace, the guest examples and the guests of the tests".to_owned()))
}
