//! A private nats-server for a test.

use std::path::{Path, PathBuf};

use nats_server_child::{Finder, Options, Server};

/// Looks for a nats-server as everything in this repository does: in `WASMHOST_NATS_SERVER`, on `PATH`, in `.tools`.
#[must_use]
pub fn finder() -> Finder {
    // The directory is this crate's, whichever crate's tests call this.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Finder::of_workspace(&workspace)
}

/// The nats-server that tests run.
///
/// # Panics
///
/// Where there is none that is new enough; the message says how to get one.
#[must_use]
pub fn nats_server() -> PathBuf {
    // `expect` would print the error's debug form, without the sentences that say what to do.
    match finder().find() {
        Ok(found) => found.path,
        Err(error) => panic!("{error}"),
    }
}

/// Starts a server, which ends when it is dropped.
///
/// # Panics
///
/// Where it does not start; the message has the end of its log.
#[must_use]
pub fn start_server(options: &Options) -> Server {
    // `expect` would print the log that the error has as one escaped line.
    match Server::start(&nats_server(), options) {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}
