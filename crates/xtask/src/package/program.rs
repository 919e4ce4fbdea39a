//! A program outside of the workspace: the example of the client's README, with nothing of wasmhost but the packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use tempfile::TempDir;

use super::packages;
use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

const NAME: &str = "wasmhost-outsider";

// The empty table `[workspace]` keeps cargo from looking for a workspace in the directories above. No registry has
// the packages: patches put their directories in its place.
const MANIFEST: &str = r#"
[package]
name = "wasmhost-outsider"
edition = "2024"

[workspace]

[dependencies]
serde_json = "1"
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
wasmhost-client = "*"

[patch.crates-io]
"#;

/// Unpacks the packages and builds the program on them; returns its file.
pub(super) fn build(repository: &Repository, step: &Step<'_>) -> Ended<PathBuf> {
    let directory = TempDir::with_prefix(NAME).context("creating a temporary directory")?;
    let mut manifest = MANIFEST.to_owned();
    for (name, file) in packages::list(repository)? {
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&file).arg("-C").arg(directory.path());
        step.call(tar)?;
        let unpacked = file.file_stem().unwrap_or_default().to_string_lossy();
        manifest.push_str(&format!("{name} = {{ path = {unpacked:?} }}\n"));
    }
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    };
    write("Cargo.toml", &manifest)?;
    fs::create_dir(directory.path().join("src")).context("creating the program's directory")?;
    write("src/main.rs", &example(repository)?)?;
    // They are the versions that the workspace is tested with.
    write("Cargo.lock", &read(&repository.root.join("Cargo.lock"))?)?;
    let mut cargo = command::cargo_with_bar(repository);
    cargo.args(["build", "--target-dir"]).arg(repository.target()).current_dir(directory.path());
    step.call(packages::without_debug_info(cargo))?;
    Ok((repository.program(NAME), "the example of the client's README, built on the packages".to_owned()))
}

/// The first block of Rust in the client's README.
fn example(repository: &Repository) -> anyhow::Result<String> {
    let readme = read(&repository.root.join("crates/wasmhost-client/README.md"))?;
    let block = readme.split_once("```rust").and_then(|(_, rest)| rest.split_once('\n'));
    let code = block.and_then(|(_, code)| code.split_once("```"));
    code.map(|(code, _)| code.to_owned()).context("the client's README has no example in Rust")
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
