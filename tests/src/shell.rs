//! Runs lines of the README as a reader would: by a shell, in the repository, with `wasmhost` and `nats` on its path.

use std::env;
use std::process::Stdio;

use anyhow::Context;
use tokio::process::Command;

use crate::paths;
use crate::wasmhost::{Following, follow};

/// The README.
pub const README: &str = include_str!("../../README.md");

/// Starts a command line by a shell, which the command replaces, so that it ends with the test. Both outputs come as standard
/// output. The command finds the server at `url`.
///
/// # Errors
///
/// The shell cannot be run, or there is no `wasmhost` or no `nats`.
pub fn shell(line: &str, url: &str) -> anyhow::Result<Following> {
    let programs = [paths::wasmhost()?, paths::nats_cli()?];
    let directories = programs.iter().filter_map(|program| program.parent()).map(ToOwned::to_owned);
    let inherited = paths::search_path();
    let path = env::join_paths(directories.chain(env::split_paths(&inherited))).context("a search path")?;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; exec {line}")]).env("PATH", path).env("NATS_URL", url);
    shell.current_dir(paths::root()).kill_on_drop(true);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    follow(shell).with_context(|| format!("running `{line}`"))
}
