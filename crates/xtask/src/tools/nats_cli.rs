//! The `nats` command line, which some tests use as people do.

use std::path::PathBuf;

use super::go;
use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Finds it, or has Go build it. None where there is no Go: the tests that use it fail then, and say how to get it.
pub(crate) fn install(repository: &Repository, step: &Step<'_>) -> Ended<Option<PathBuf>> {
    let own = repository.tools().join("bin/nats");
    if let Some(path) = Some(own.clone()).filter(|path| path.is_file()).or_else(|| command::on_path("nats")) {
        let what = path.display().to_string();
        return Ok((Some(path), what));
    }
    if !go::is_there() {
        return Ok((
            None,
            "not installed, as there is no Go to build it; the tests that use it will fail".to_owned(),
        ));
    }
    step.tell("building with Go (about 100 s, once)");
    go::install(step, &repository.tools().join("bin"), "github.com/nats-io/natscli/nats@latest")?;
    let what = own.display().to_string();
    Ok((Some(own), what))
}
