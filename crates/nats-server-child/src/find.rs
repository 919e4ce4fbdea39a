//! Finds a nats-server that is new enough, in a fixed order of places, with a note about each that was passed over.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::version::{MINIMUM_VERSION, Version};

/// The program's file name.
const PROGRAM: &str = "nats-server";

/// Where to look for a nats-server: the fields are tried in their order.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    /// A path that the user named.
    pub explicit: Option<PathBuf>,
    /// A path from the environment; the caller reads the variable.
    pub environment: Option<PathBuf>,
    /// A search path, as in `PATH`; the caller reads the variable.
    pub search_path: Option<OsString>,
    /// A directory of tools, which has programs in `bin`.
    pub tools_dir: Option<PathBuf>,
}

/// A nats-server that is new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The program.
    pub path: PathBuf,
    /// The version that the program says it has.
    pub version: Version,
    /// Each program that was passed over before, and why.
    pub notes: Vec<String>,
}

/// No nats-server was found that is new enough.
#[derive(Debug, Error)]
#[error(
    "no nats-server {MINIMUM_VERSION} or newer was found; tried: {}; fix: run `cargo xtask tools`, \
     or `go install github.com/nats-io/nats-server/v2@latest`",
    tried.join("; ")
)]
#[non_exhaustive]
pub struct FindError {
    /// Each program that was tried, with what was wrong with it.
    pub tried: Vec<String>,
}

impl Finder {
    /// Looks where everything in the workspace of wasmhost does: in the variable `WASMHOST_NATS_SERVER`, on `PATH`, and in
    /// `.tools`, where `cargo xtask tools` installs it.
    #[must_use]
    pub fn of_workspace(workspace: &Path) -> Self {
        Self {
            explicit: None,
            environment: env::var_os("WASMHOST_NATS_SERVER").map(PathBuf::from),
            search_path: env::var_os("PATH"),
            tools_dir: Some(workspace.join(".tools")),
        }
    }

    /// Finds the first program that runs and is new enough.
    ///
    /// # Errors
    ///
    /// There is none; the error has everything that was tried, and how to get one.
    pub fn find(&self) -> Result<Found, FindError> {
        let mut notes = Vec::new();
        for (source, path) in self.candidates() {
            match usable(&path) {
                Ok(version) => return Ok(Found { path, version, notes }),
                Err(why) => notes.push(format!("{} ({source}) {why}", path.display())),
            }
        }
        // Nothing was tried on `PATH` then, and so nothing was noted of it.
        if self.on_search_path().is_empty() {
            notes.push(format!("no {PROGRAM} on PATH"));
        }
        Err(FindError { tried: notes })
    }

    fn candidates(&self) -> Vec<(&'static str, PathBuf)> {
        // Paths that somebody named are tried even where there is no such file, so that the error says so. Of `PATH`
        // all programs are tried: an old one must not hide a newer one behind it.
        let explicit = self.explicit.iter().map(|path| ("as named", path.clone()));
        let environment = self.environment.iter().map(|path| ("from the environment", path.clone()));
        let on_path = self.on_search_path().into_iter().map(|path| ("on PATH", path));
        let tools =
            self.tools_dir.iter().map(|dir| ("in the tools directory", dir.join("bin").join(PROGRAM)));
        explicit.chain(environment).chain(on_path).chain(tools).collect()
    }

    fn on_search_path(&self) -> Vec<PathBuf> {
        let Some(search_path) = &self.search_path else { return Vec::new() };
        env::split_paths(search_path).map(|dir| dir.join(PROGRAM)).filter(|path| path.is_file()).collect()
    }
}

fn usable(path: &Path) -> Result<Version, String> {
    let version = Version::of(path)?;
    if version < MINIMUM_VERSION {
        return Err(format!("is {version}, too old"));
    }
    Ok(version)
}
