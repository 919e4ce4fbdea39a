//! Runs a server: it is started, killed, started again on the same port and data, or stopped. Dropping it kills it.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use thiserror::Error;

use crate::{
    options::{Options, config_text},
    ports, wait,
};

/// How long a server may take to listen, recovery of its streams included.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long a server may take to stop by itself before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How many lines of the log go into an error.
const TAIL_LINES: usize = 20;

/// Why a server could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A directory, the configuration or the log could not be written.
    #[error("writing {}", path.display())]
    Files {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The program could not be run.
    #[error("running {}", path.display())]
    Spawn {
        /// The program.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The server ended before it listened.
    #[error("nats-server ended before it listened ({status}); its log ends:\n{log}")]
    Ended {
        /// How the server ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// The server did not listen in time, and was killed.
    #[error("nats-server did not listen within {} s; its log ends:\n{log}", START_LIMIT.as_secs())]
    Late {
        /// The last lines of its log.
        log: String,
    },
}

/// A running nats-server. Dropping it kills the server and removes a temporary store.
#[derive(Debug)]
pub struct Server {
    /// The program that is run, after the words of the wrapper.
    command: Vec<OsString>,
    store: PathBuf,
    port: u16,
    child: Child,
    // It is dropped after `Drop` has killed the server, which no longer writes there then.
    _temporary: Option<TempDir>,
}

impl Server {
    /// Starts a server, and returns when it listens.
    ///
    /// # Errors
    ///
    /// Its files cannot be written, the program cannot be run, or the server does not listen in time. The error has the end
    /// of its log.
    pub fn start(program: &Path, options: &Options) -> Result<Self, StartError> {
        let (store, temporary) = match &options.store {
            Some(store) => (store.clone(), None),
            None => {
                let dir =
                    TempDir::with_prefix("nats-server-").map_err(at(Path::new("a temporary directory")))?;
                (dir.path().to_owned(), Some(dir))
            }
        };
        let ports_dir = store.join("ports");
        // The server does not create this directory itself.
        fs::create_dir_all(&ports_dir).map_err(at(&ports_dir))?;
        let config = config_path(&store);
        fs::write(&config, config_text(options, &store)).map_err(at(&config))?;
        let command: Vec<_> = options.wrapper.iter().cloned().chain([program.into()]).collect();
        let (child, port) = launch(&command, &store, options.port)?;
        Ok(Self { command, store, port, child, _temporary: temporary })
    }

    /// The address for clients: `nats://127.0.0.1:36035`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The TCP port, which stays the same after [`Self::restart`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of the operating system's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The directory with configuration, data and log.
    #[must_use]
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// The file that the server logs to. A restart appends to it.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        log_path(&self.store)
    }

    /// The last lines of the log, for error messages.
    #[must_use]
    pub fn log_tail(&self) -> String {
        log_tail(&self.store)
    }

    /// Ends the server as a crash would (SIGKILL). It does nothing where the server has ended already.
    ///
    /// # Errors
    ///
    /// The operating system refuses to end the process.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        // The server's port and files are free for another start only after this.
        self.child.wait().map(drop)
    }

    /// Asks the server to stop (SIGTERM), and kills it where it still runs after ten seconds.
    ///
    /// # Errors
    ///
    /// The operating system refuses to end the process.
    pub fn stop(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        // The process has not been waited for, so that no other one can have its id.
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        match wait::until(STOP_LIMIT, || self.child.try_wait().transpose()) {
            Some(status) => status.map(drop),
            None => self.kill(),
        }
    }

    /// Starts the server again on the same port and data. A server that still runs is killed first.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.kill().map_err(|source| spawn_error(&self.command, source))?;
        // Clients that reconnect look for the server where it was.
        (self.child, self.port) = launch(&self.command, &self.store, Some(self.port))?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have ended already, which is just as good.
        let _ = self.kill();
    }
}

/// Runs the program until it says in its ports file where it listens.
fn launch(command: &[OsString], store: &Path, port: Option<u16>) -> Result<(Child, u16), StartError> {
    let ports_dir = store.join("ports");
    let log =
        File::options().create(true).append(true).open(log_path(store)).map_err(at(&log_path(store)))?;
    // For the server -1 is a port that the operating system chooses, and 0 its default one.
    let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .arg("--config")
        .arg(config_path(store))
        .args(["--port", &port])
        .arg("--ports_file_dir")
        .arg(&ports_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // Without a file for it in the configuration the log goes to standard error.
        .stderr(log)
        .spawn()
        .map_err(|source| spawn_error(command, source))?;
    match wait_until_it_listens(&mut child, &ports_dir) {
        Some(Ok(port)) => Ok((child, port)),
        Some(Err(status)) => Err(StartError::Ended { status, log: log_tail(store) }),
        None => {
            // A kill that fails only means that the server has ended meanwhile.
            let _ = child.kill().and_then(|()| child.wait());
            Err(StartError::Late { log: log_tail(store) })
        }
    }
}

/// Waits for the port; the inner error is how the server ended, and none means that it is late.
fn wait_until_it_listens(child: &mut Child, ports_dir: &Path) -> Option<Result<u16, ExitStatus>> {
    // The server writes the file once it listens. The id in the file's name is the child's even under a wrapper,
    // which becomes the server in its own process.
    wait::until(START_LIMIT, || match ports::read(ports_dir, child.id()) {
        Some(port) => Some(Ok(port)),
        None => child.try_wait().ok().flatten().map(Err),
    })
}

fn spawn_error(command: &[OsString], source: io::Error) -> StartError {
    StartError::Spawn { path: PathBuf::from(&command[0]), source }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::Files { path, source }
}

fn config_path(store: &Path) -> PathBuf {
    store.join("nats-server.conf")
}

fn log_path(store: &Path) -> PathBuf {
    store.join("nats-server.log")
}

fn log_tail(store: &Path) -> String {
    let log = fs::read(log_path(store)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
