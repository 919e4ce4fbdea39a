//! The programs of a measurement: a private nats-server, and a host with the module that does nothing.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nats_server_child::{Options as ServerOptions, Server};
use tempfile::TempDir;
use wasmhost_client::{Client, ClientConfig, ConnectConfig, Connection};
use wasmhost_nats::{LayoutConfig, ensure_deployment, hosts, stream_state};
use wasmhost_protocol::ids::QueueName;

use crate::error::{BenchError, Doing};
use crate::options::Options;
use crate::processes::Processes;

/// A component whose task takes a text and returns its length. It is made of `noop.wat`, as a test checks.
const NOOP: &[u8] = include_bytes!("guests/noop.wasm");
/// What hosts and consumers have by default.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// The pause between two looks at what gives no signal.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long a host may take until it serves.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A private server with the streams and buckets of a deployment.
pub(crate) struct Deployment {
    pub(crate) connection: Connection,
    server: Server,
    /// The component, and what hosts compile of it.
    files: TempDir,
}

/// A host, which ends with this value.
pub(crate) struct Host(Child);

impl Deployment {
    pub(crate) async fn start(options: &Options) -> Result<Self, BenchError> {
        let server = Server::start(&options.nats_server, &ServerOptions::default())
            .map_err(|error| BenchError::Server(error.into()))?;
        let connection = Connection::open(&ConnectConfig::new(server.url())).await.doing("connect")?;
        let queues = [QueueName::default_queue()];
        let made = ensure_deployment(&connection, &LayoutConfig::default(), &queues, ACK_WAIT).await;
        made.doing("make the streams")?;
        let files = TempDir::with_prefix("wasmhost-bench-").map_err(BenchError::Files)?;
        Ok(Self { connection, server, files })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn processes(&self, host: Option<&Host>) -> Processes {
        Processes { server: self.server.pid(), host: host.map(|host| host.0.id()) }
    }

    pub(crate) async fn client(&self) -> Result<Client, BenchError> {
        Client::connect(ClientConfig::new(self.url())).await.doing("connect a client")
    }

    /// Pushes the module that does nothing.
    pub(crate) fn push(&self, options: &Options) -> Result<(), BenchError> {
        let file = self.files.path().join("noop.wasm");
        fs::write(&file, NOOP).map_err(BenchError::Files)?;
        let mut push = self.wasmhost(options, &["module", "push"]);
        let output = push.arg(&file).output().map_err(|error| failed("module push", &error))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed("module push", &String::from_utf8_lossy(&output.stderr).trim_end()))
    }

    /// Starts a host, and waits until it takes jobs.
    pub(crate) async fn serve(&self, options: &Options) -> Result<Host, BenchError> {
        let mut serve = self.wasmhost(options, &["serve"]);
        let child = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut host = Host(child.map_err(|error| failed("serve", &error))?);
        let serving = async {
            loop {
                let seen = hosts::hosts(&self.connection).await.doing("list hosts")?;
                if seen.iter().any(|host| host.ready) {
                    return Ok(());
                }
                if let Ok(Some(status)) = host.0.try_wait() {
                    return Err(failed("serve", &status));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let late = |_| failed("serve", &"it takes no jobs");
        tokio::time::timeout(START_LIMIT, serving).await.map_err(late)??;
        Ok(host)
    }

    /// How many jobs are queued or run.
    pub(crate) async fn queued(&self) -> Result<u64, BenchError> {
        let stream = self.connection.names.jobs_stream();
        Ok(stream_state(&self.connection, &stream).await.doing("look at the job stream")?.messages)
    }

    fn wasmhost(&self, options: &Options, arguments: &[&str]) -> Command {
        let mut command = Command::new(&options.wasmhost);
        // Nothing of the caller's environment changes what is measured: a backtrace at every error, for one, costs a quarter.
        command.env_clear().env("NATS_URL", self.url()).env("XDG_CACHE_HOME", self.files.path());
        command.args(arguments).stdin(Stdio::null());
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A host that has ended by itself needs no end. It is killed, since nobody waits for its jobs.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn failed(command: &str, why: &dyn std::fmt::Display) -> BenchError {
    BenchError::Wasmhost { command: command.to_owned(), text: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_made_of_its_text() {
        assert_eq!(wat::parse_str(include_str!("guests/noop.wat")).unwrap(), NOOP);
    }
}
