//! The linters of others, each at one version, so that a commit passes everywhere or nowhere.

use std::{path::PathBuf, process::Command};

use anyhow::Context;

use super::wheel;
use crate::{command, repository::Repository, steps::Step};

/// Finds wrong spelling.
pub(crate) const TYPOS: Linter = Linter {
    program: "typos",
    package: "typos-cli",
    version: "1.52.0",
    wheel: Some("typos"),
    takes: "2 minutes",
};

/// Finds dependencies that no code names.
pub(crate) const MACHETE: Linter = Linter {
    program: "cargo-machete",
    package: "cargo-machete",
    version: "0.9.2",
    wheel: None,
    takes: "2 minutes",
};

/// Compares licences and sources of dependencies with what is allowed.
pub(crate) const DENY: Linter = Linter {
    program: "cargo-deny",
    package: "cargo-deny",
    version: "0.20.2",
    wheel: None,
    takes: "6 minutes",
};

/// A linter of others.
pub(crate) struct Linter {
    pub(crate) version: &'static str,
    program: &'static str,
    /// Its name on crates.io.
    package: &'static str,
    /// Its name on PyPI, where its authors publish it there too: compiled already.
    wheel: Option<&'static str>,
    /// About how long its compilation takes.
    takes: &'static str,
}

impl Linter {
    /// Finds this version, or installs it into `.tools`.
    pub(crate) fn install(&self, repository: &Repository, step: &Step<'_>) -> anyhow::Result<PathBuf> {
        let directory = repository.tools().join(format!("{}-{}", self.program, self.version));
        let own = directory.join("bin").join(self.program);
        if own.is_file() {
            return Ok(own);
        }
        // Another version on the search path is not used, because it may find other things.
        if let Some(found) = command::on_path(self.program).filter(|program| self.is_it(program)) {
            return Ok(found);
        }
        if let Some(wheel) = self.wheel.filter(|_| command::on_path("python3").is_some()) {
            step.tell(format_args!("installing its Python wheel, once"));
            match wheel::install(step, &directory, &format!("{wheel}=={}", self.version)) {
                Ok(()) => return Ok(own),
                Err(error) => step.tell(format_args!("{error:#}; compiling it instead")),
            }
        }
        step.tell(format_args!("compiling {} {} (about {}, once)", self.package, self.version, self.takes));
        let mut cargo = command::cargo_with_bar(repository);
        cargo
            .args(["install", "--locked", "--version", self.version, self.package, "--root"])
            .arg(&directory);
        step.call(cargo)
            .with_context(|| format!("fix: `cargo install --locked {}@{}`", self.package, self.version))?;
        Ok(own)
    }

    fn is_it(&self, program: &PathBuf) -> bool {
        let output = Command::new(program).arg("--version").output();
        output.is_ok_and(|output| {
            let said = String::from_utf8_lossy(&output.stdout);
            said.split_whitespace().any(|word| word == self.version)
        })
    }
}
