//! Making the packages.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, ensure};

use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// The member of the workspace that is not in `crates`; it is for the workspace alone.
const TESTS: &str = "end-to-end";

/// A package that is larger has something in it that building does not need.
const MAX_BYTES: u64 = 256 * 1024;

/// The packages have the version of the workspace, as this program has.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes every package: whatever a registry would refuse is found, in seconds.
pub(super) fn make(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    // Asking the registry for news of each package costs ten times as much as making it.
    let offline = package(repository, &["--no-verify", "--offline"])?;
    // Offline cargo fails where it needs what was never fetched.
    if step.call(offline).is_err() {
        step.call(package(repository, &["--no-verify"])?)?;
    }
    let packages = list(repository)?;
    let mut all = 0;
    for (name, file) in &packages {
        let bytes = fs::metadata(file).with_context(|| format!("reading {}", file.display()))?.len();
        ensure!(
            bytes <= MAX_BYTES,
            "{name} has {bytes} bytes, over {MAX_BYTES}; fix: leave out what building does not need (`include`)"
        );
        all += bytes;
    }
    Ok(((), format!("{} packages of {} KiB together", packages.len(), all / 1024)))
}

/// The same, and compiles each, with the others' packages in place of their directories.
pub(super) fn verify(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    step.tell("compiling each as a registry's users do; with its engine that takes minutes, once");
    step.call(without_debug_info(package(repository, &[])?))?;
    Ok(((), "each compiles".to_owned()))
}

/// Cargo's own command for the packages, without what is for the workspace alone.
fn package(repository: &Repository, flags: &[&str]) -> anyhow::Result<Command> {
    let mut cargo = command::cargo_with_bar(repository);
    // What is not committed yet is checked too; `cargo publish` refuses it by itself.
    cargo.args(["package", "--workspace", "--allow-dirty"]).args(flags);
    let ours_alone = crates(repository)?.into_iter().filter(|krate| !krate.is_published);
    for name in ours_alone.map(|krate| krate.name).chain([TESTS.to_owned()]) {
        cargo.args(["--exclude", &name]);
    }
    Ok(cargo)
}

/// Every package with its file.
pub(super) fn list(repository: &Repository) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let directory = repository.target().join("package");
    let published = crates(repository)?.into_iter().filter(|krate| krate.is_published);
    let file = |name: &str| directory.join(format!("{name}-{VERSION}.crate"));
    Ok(published.map(|krate| (krate.name.clone(), file(&krate.name))).collect())
}

/// A crate of this workspace.
struct Crate {
    name: String,
    is_published: bool,
}

fn crates(repository: &Repository) -> anyhow::Result<Vec<Crate>> {
    let crates = repository.crates()?.into_iter().map(|directory| {
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest = fs::read_to_string(directory.join("Cargo.toml"))
            .with_context(|| format!("reading the manifest of {name}"))?;
        // It is read as text, because a parser of TOML would be compiled before anybody's first command.
        Ok(Crate { name, is_published: !manifest.lines().any(|line| line == "publish = false") })
    });
    crates.collect()
}

/// A build of which nobody reads a backtrace.
pub(super) fn without_debug_info(mut cargo: Command) -> Command {
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo
}
