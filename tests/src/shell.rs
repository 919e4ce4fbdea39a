//! Lines of the README, run as a reader would: by a shell, in the repository, with `wasmhost` and `nats` on its path.

use std::env;
use std::process::Stdio;

use anyhow::Context;
use tokio::process::Command;

use crate::paths;
use crate::wasmhost::{Following, follow};

/// The README.
pub const README: &str = include_str!("../../README.md");

/// Whether the `nats` command line is here.
#[must_use]
pub fn has_nats_cli() -> bool {
    paths::nats_cli().is_some()
}

/// Starts one command for a shell, which it replaces, so that it ends with the test. Both outputs come as standard
/// output; the command finds the server at `url`.
///
/// # Errors
///
/// Where there is no shell, or no `wasmhost`.
pub fn shell(line: &str, url: &str) -> anyhow::Result<Following> {
    let programs = [Some(paths::wasmhost()?), paths::nats_cli()];
    let directories = programs.iter().flatten().filter_map(|program| program.parent()).map(ToOwned::to_owned);
    let path = paths::path();
    let path = env::join_paths(directories.chain(env::split_paths(&path))).context("a search path")?;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; exec {line}")]).env("PATH", path).env("NATS_URL", url);
    shell.current_dir(paths::root()).kill_on_drop(true);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    follow(shell).with_context(|| format!("running `{line}`"))
}
