//! The checks that need no server: formatting, lints, and the linters of others where they are installed.

use std::process::Command;

use crate::{
    command::{self, cargo},
    repository::Repository,
    say::say,
};

/// Tools that are used where they are: program, arguments, how to get it.
const OPTIONAL: [(&str, &[&str], &str); 3] = [
    ("typos", &["--config", ".typos.toml"], "cargo install typos-cli --locked"),
    ("cargo-deny", &["--config", ".deny.toml", "check"], "cargo install cargo-deny --locked"),
    ("cargo-machete", &[], "cargo install cargo-machete --locked"),
];

/// Runs them all, and fails at the first that fails.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    command::run(cargo(repository).args(["fmt", "--all", "--check"]))?;
    for guests in [repository.examples(), repository.test_guests()] {
        command::run(cargo(repository).args(["fmt", "--all", "--check"]).current_dir(guests))?;
    }
    command::run(cargo(repository).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))?;
    for (program, arguments, fix) in OPTIONAL {
        match command::on_path(program) {
            Some(path) => command::run(Command::new(path).args(arguments).current_dir(&repository.root))?,
            None => say(format_args!("{program}: skipped, not installed (`{fix}`)")),
        }
    }
    Ok(())
}
