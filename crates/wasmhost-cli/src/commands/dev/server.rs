//! The private nats-server of `dev`, and the directory that it keeps its data in.

use std::env;
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nats_server_child::{Finder, Options, Server};

use crate::error::{CliError, chain};
use crate::exit::Exit;
use crate::{input, output};

/// Where the plain `nats` command looks.
const USUAL_PORT: u16 = 4222;

/// `.wasmhost` in the directory, held by one `dev` at a time.
pub(super) struct Home {
    /// The directory.
    pub(super) path: PathBuf,
    _lock: File,
}

impl Home {
    /// Creates it where it is missing, and takes it.
    pub(super) fn open(dir: &Path) -> Result<Self, CliError> {
        let dir = dir.canonicalize().map_err(|error| {
            CliError::new(Exit::NotFound, format_args!("opening directory {}: {error}", input::shown(dir)))
        })?;
        let path = dir.join(".wasmhost");
        let lock = Self::prepare(&path).map_err(|error| failed(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(CliError::new(
                Exit::Full,
                format_args!("another `wasmhost dev` runs in {}: end it first", input::shown(&dir)),
            )),
            Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
        }
    }

    fn prepare(path: &Path) -> io::Result<File> {
        fs::create_dir_all(path)?;
        fs::write(path.join(".gitignore"), "*\n")?;
        File::create(path.join("lock"))
    }
}

/// Finds a server and starts it, on the usual port where that is free.
pub(super) fn start(home: &Home, named: Option<PathBuf>) -> Result<Server, CliError> {
    let finder = Finder {
        explicit: named,
        environment: None,
        search_path: env::var_os("PATH"),
        tools_dir: tools_dir(&home.path),
    };
    let found = finder.find().map_err(|error| CliError::of(Exit::NotFound, &error))?;
    for note in &found.notes {
        output::note(format_args!("nats-server: passed over {note}"));
    }
    let program = guarded(home, &found.path).map_err(|error| failed(&home.path, &error))?;
    let port_is_free = TcpListener::bind(("127.0.0.1", USUAL_PORT)).is_ok();
    let mut options = Options::default().store(home.path.join("nats"));
    options.port = port_is_free.then_some(USUAL_PORT);
    let server =
        Server::start(&program, &options).map_err(|error| CliError::new(Exit::Unreachable, chain(&error)))?;
    output::note(format_args!(
        "nats-server {} on {}, log: {}",
        found.version,
        server.url(),
        server.log_path().display()
    ));
    if !port_is_free {
        output::note(format_args!(
            "port {USUAL_PORT} is taken: other terminals need the NATS_URL printed below"
        ));
    }
    Ok(server)
}

/// A script that becomes the server under `wasmhost guarded`: it ends with this process, and not by a Ctrl-C before the
/// host has drained.
fn guarded(home: &Home, program: &Path) -> io::Result<PathBuf> {
    let script = home.path.join("nats-server");
    let (exe, program) = (env::current_exe()?, program.canonicalize()?);
    let text = format!(
        "#!/bin/sh\nexec {} guarded --parent {} {} \"$@\"\n",
        quoted(&exe),
        std::process::id(),
        quoted(&program)
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, Permissions::from_mode(0o700))?;
    Ok(script)
}

/// For the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// `.tools` of the repository that the directory or the caller is in.
fn tools_dir(home: &Path) -> Option<PathBuf> {
    let here = env::current_dir().ok();
    let around = home.ancestors().chain(here.iter().flat_map(|here| here.ancestors()));
    around.map(|dir| dir.join(".tools")).find(|tools| tools.is_dir())
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
        let first = Home::open(dir.path()).unwrap();
        assert_eq!(Home::open(dir.path()).err().map(|cli_error| cli_error.exit), Some(Exit::Full));
        drop(first);
        assert!(Home::open(dir.path()).is_ok());
    }

    #[test]
    fn paths_reach_the_shell_whole() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
