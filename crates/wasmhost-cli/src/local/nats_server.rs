//! The nats-server that `dev` and `bench` start.

use std::env;
use std::path::{Path, PathBuf};

use nats_server_child::{Finder, Found};

use crate::error::{CliError, Exit};
use crate::output;

/// Finds a server: the one that is named, or else the first that is new enough.
pub(crate) fn find(named: Option<PathBuf>, dir: &Path) -> Result<Found, CliError> {
    let finder = Finder {
        explicit: named,
        // The variable is that of the flag, and so already in `named`.
        environment: None,
        search_path: env::var_os("PATH"),
        tools_dir: tools_dir(dir),
    };
    let found = finder.find().map_err(|error| CliError::of(Exit::NotFound, &error))?;
    for note in &found.notes {
        output::note(format_args!("nats-server: passed over {note}"));
    }
    Ok(found)
}

/// `.tools` of the repository in which the directory or the caller is.
fn tools_dir(dir: &Path) -> Option<PathBuf> {
    let here = env::current_dir().ok();
    let around = dir.ancestors().chain(here.iter().flat_map(|here| here.ancestors()));
    around.map(|dir| dir.join(".tools")).find(|tools| tools.is_dir())
}
