//! The private nats-server of `dev`, and the directory in which it keeps its data.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use nats_server_child::{Options, Server};

use crate::error::{CliError, Exit};
use crate::local::{input, nats_server, sandbox};
use crate::output;

/// The port to which the `nats` command connects by default.
const DEFAULT_PORT: u16 = 4222;

/// `.wasmhost` in the directory, which one `dev` at a time holds.
pub(super) struct DataDir {
    /// The directory.
    pub(super) path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory where it is missing, and takes it.
    pub(super) fn open(dir: &Path) -> Result<Self, CliError> {
        let dir = dir.canonicalize().map_err(|error| {
            CliError::new(Exit::NotFound, format_args!("opening directory {}: {error}", input::shown(dir)))
        })?;
        let path = dir.join(".wasmhost");
        let lock = Self::prepare(&path).map_err(|error| failed(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(CliError::new(
                Exit::TryLater,
                format_args!("another `wasmhost dev` runs in {}: end it first", input::shown(&dir)),
            )),
            Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
        }
    }

    fn prepare(path: &Path) -> io::Result<File> {
        fs::create_dir_all(path)?;
        // Data of a running server must not end in a commit of the package around it.
        fs::write(path.join(".gitignore"), "*\n")?;
        File::create(path.join("lock"))
    }
}

/// Finds a server and starts it, on the usual port if that is free.
pub(super) fn start(data_dir: &DataDir, named: Option<PathBuf>) -> Result<Server, CliError> {
    let found = nats_server::find(named, &data_dir.path)?;
    // Somebody may take the port after this: then the server's own log says so.
    let port_is_free = TcpListener::bind(("127.0.0.1", DEFAULT_PORT)).is_ok();
    let mut options = Options::default().store(data_dir.path.join("nats"));
    options.port = port_is_free.then_some(DEFAULT_PORT);
    options.wrapper = guarded()?;
    let server =
        Server::start(&found.path, &options).map_err(|error| CliError::of(Exit::Unreachable, &error))?;
    output::note(format_args!(
        "nats-server {} on {}, log: {}",
        found.version,
        server.url(),
        server.log_path().display()
    ));
    if !port_is_free {
        output::note(format_args!(
            "port {DEFAULT_PORT} is taken: other terminals need the NATS_URL printed below"
        ));
    }
    Ok(server)
}

/// The words under which the server is run: `wasmhost guarded` makes it end with this process, and keeps Ctrl-C from it,
/// which would end it before the host has drained.
fn guarded() -> Result<Vec<OsString>, CliError> {
    let parent = std::process::id().to_string();
    Ok(vec![sandbox::this_program()?.into(), "guarded".into(), "--parent".into(), parent.into()])
}

fn failed(path: &Path, error: &io::Error) -> CliError {
    let exit = if error.kind() == io::ErrorKind::PermissionDenied { Exit::Denied } else { Exit::Config };
    CliError::new(exit, format_args!("preparing {}: {error}", input::shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        assert_eq!(DataDir::open(dir.path()).err().map(|cli_error| cli_error.exit), Some(Exit::TryLater));
        drop(first);
        assert!(DataDir::open(dir.path()).is_ok());
    }
}
