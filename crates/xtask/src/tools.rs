//! Installing what the other commands need into `.tools`; nothing outside the repository changes but the toolchain's
//! own wasm target and the caches of cargo, Go and pip.

mod oldest_server;
mod server;
mod wasm_target;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

pub(crate) use wasm_target::install as install_wasm_target;

use crate::{command, repository::Repository, say::say};

/// The installed tools.
#[derive(Debug)]
pub(crate) struct Tools {
    /// A nats-server that is new enough.
    pub(crate) nats_server: PathBuf,
    /// The oldest nats-server that is supported, where it could be had.
    pub(crate) oldest_nats_server: Option<PathBuf>,
    /// The `nats` command line, where it was found or Go could build it.
    pub(crate) nats_cli: Option<PathBuf>,
}

/// Installs every tool that is missing.
pub(crate) fn install(repository: &Repository) -> anyhow::Result<Tools> {
    install_wasm_target()?;
    Ok(Tools {
        nats_server: server::install(repository)?,
        oldest_nats_server: oldest_server::install(repository),
        nats_cli: install_nats_cli(repository)?,
    })
}

fn install_nats_cli(repository: &Repository) -> anyhow::Result<Option<PathBuf>> {
    let own = repository.tools().join("bin/nats");
    if let Some(path) = Some(own.clone()).filter(|path| path.is_file()).or_else(|| command::on_path("nats")) {
        say(format_args!("nats: {}", path.display()));
        return Ok(Some(path));
    }
    if command::on_path("go").is_none() {
        say(
            "nats: skipped, as there is no Go to build it; tests that use it speak the same bytes themselves",
        );
        return Ok(None);
    }
    say("nats: building with Go (about 100 s, once)");
    go_install(&repository.tools().join("bin"), "github.com/nats-io/natscli/nats@latest")?;
    Ok(Some(own))
}

/// Builds a Go program into a directory.
fn go_install(bin: &Path, package: &str) -> anyhow::Result<()> {
    command::run(Command::new("go").args(["install", package]).env("GOBIN", bin))
        .with_context(|| format!("building {package}; mend: see that Go is new enough and reaches its proxy"))
}
