//! Programs that Go builds.

use std::{path::Path, process::Command};

use anyhow::Context;

use crate::{command, steps::Step};

/// Whether there is a Go.
pub(super) fn is_there() -> bool {
    command::on_path("go").is_some()
}

/// Builds a package's program into a directory.
pub(super) fn install(step: &Step<'_>, bin: &Path, package: &str) -> anyhow::Result<()> {
    let mut go = Command::new("go");
    // Without `GOBIN` Go would install into the user's own directory.
    go.args(["install", package]).env("GOBIN", bin);
    step.call(go)
        .with_context(|| format!("building {package}; fix: see that Go is new enough and reaches its proxy"))
}
