//! Everything compiles with the oldest Rust that the manifests promise.

use std::{fs, process::Command};

use anyhow::{Context, bail};

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// Has nothing to do where the toolchain in use is that one: the lints and the tests are the check then.
pub(super) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let wanted = promised(repository)?;
    let used = output(Command::new("rustc").arg("--version"))?;
    if used.starts_with(&format!("rustc {wanted}.")) {
        return Ok(((), format!("{wanted}, which is in use: lints and tests check it")));
    }
    let toolchain = installed(&wanted, step)?;
    step.tell(format_args!("compiling with {toolchain}"));
    let mut cargo = Command::new("rustup");
    cargo
        .args(["run", &toolchain, "cargo", "check", "--workspace", "--all-targets"])
        .current_dir(&repository.root)
        // The proxies set them, and cargo would run the other toolchain's compiler.
        .env_remove("RUSTC")
        .env_remove("RUSTDOC")
        .env_remove("RUSTUP_TOOLCHAIN");
    step.call(cargo)?;
    Ok(((), format!("it compiles with {toolchain}")))
}

/// The `rust-version` that all workspaces name.
fn promised(repository: &Repository) -> anyhow::Result<String> {
    let mut versions = Vec::new();
    for workspace in repository.workspaces() {
        let manifest = workspace.join("Cargo.toml");
        // It is read as text, because a parser of TOML would be compiled before anybody's first command.
        let text =
            fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("rust-version = "));
        let version = line.with_context(|| format!("{} has no rust-version", manifest.display()))?;
        versions.push(version.trim_matches('"').to_owned());
    }
    let first = versions.swap_remove(0);
    if versions.iter().any(|version| *version != first) {
        bail!("the workspaces name different versions: {first}, {}; fix: name one", versions.join(", "));
    }
    Ok(first)
}

/// The name of an installed toolchain of that version.
fn installed(version: &str, step: &Step<'_>) -> anyhow::Result<String> {
    if command::on_path("rustup").is_none() {
        bail!("there is no rustup to run Rust {version} with; fix: use rustup, or Rust {version} itself");
    }
    let find = || -> anyhow::Result<Option<String>> {
        let list = output(Command::new("rustup").args(["toolchain", "list"]))?;
        let mut names = list.lines().filter_map(|line| line.split_whitespace().next());
        // The name goes on with a patch number or the machine's triple. A further digit would make another version.
        let is_wanted =
            |name: &&str| name.strip_prefix(version).is_some_and(|rest| rest.starts_with(['.', '-']));
        Ok(names.find(is_wanted).map(ToOwned::to_owned))
    };
    if let Some(name) = find()? {
        return Ok(name);
    }
    step.tell(format_args!("installing Rust {version}"));
    let mut rustup = Command::new("rustup");
    rustup.args(["toolchain", "install", version, "--profile", "minimal"]);
    step.call(rustup).with_context(|| format!("fix: install Rust {version} beside yours"))?;
    find()?.with_context(|| format!("rustup does not list the Rust {version} that it has installed"))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = command::line(command);
    let output = command.output().with_context(|| format!("running `{line}`"))?;
    String::from_utf8(output.stdout).with_context(|| format!("reading what `{line}` wrote"))
}
