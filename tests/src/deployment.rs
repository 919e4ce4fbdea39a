//! A deployment of a test's own: a private nats-server, and everything that is on it.

mod dead_letters;
mod records;
mod streams;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use async_nats::HeaderMap;
use bytes::Bytes;
use nats_server_child::{Options, Server};
use tempfile::TempDir;
use wasmhost_client::protocol::ids::{JobKey, ModuleName};
use wasmhost_client::protocol::policy::Policy;
use wasmhost_client::{Client, ClientConfig, JobHandle};

pub use dead_letters::DeadLetter;
pub use streams::{BLOBS, DEAD, JOBS, SCHEDULES, STATES};

use crate::{
    audited::Audited,
    events::Events,
    host::Host,
    outsider::Outsider,
    paths,
    proxy::Proxy,
    stranger::Stranger,
    wasmhost::{Ran, Wasmhost, argument},
};

/// A server with its data, and a connection that only the test uses.
#[derive(Debug)]
pub struct Deployment {
    /// The server.
    pub server: Server,
    /// A plain connection.
    pub nats: async_nats::Client,
    directory: TempDir,
}

impl Deployment {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// There is no nats-server, or it does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(&Options::default()).await
    }

    /// Starts a server with options of its own.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub async fn with(options: &Options) -> anyhow::Result<Self> {
        Self::over(server(options)?).await
    }

    /// Starts a server of another version.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub async fn on(program: &Path) -> anyhow::Result<Self> {
        Self::over(Server::start(program, &Options::default())?).await
    }

    async fn over(server: Server) -> anyhow::Result<Self> {
        let nats = async_nats::connect(server.url()).await.context("connecting")?;
        Ok(Self { server, nats, directory: TempDir::with_prefix("wasmhost-test-")? })
    }

    /// Starts a server and a host, and pushes these guests.
    ///
    /// # Errors
    ///
    /// One of them fails.
    pub async fn with_host(modules: &[&str]) -> anyhow::Result<(Self, Host)> {
        let deployment = Self::start().await?;
        let host = deployment.host(&[]).await?;
        for module in modules {
            deployment.push(module).await?;
        }
        Ok((deployment, host))
    }

    /// Starts one more host, and waits until it serves.
    ///
    /// # Errors
    ///
    /// The host does not come to serve; with its log.
    pub async fn host(&self, flags: &[&str]) -> anyhow::Result<Host> {
        Host::start(&self.server.url(), flags, &self.nats).await
    }

    /// Starts one more host behind a proxy, and waits until it serves.
    ///
    /// # Errors
    ///
    /// The host does not come to serve; with its log.
    pub async fn host_behind(&self, proxy: &Proxy, flags: &[&str]) -> anyhow::Result<Host> {
        Host::start(&proxy.url(), flags, &self.nats).await
    }

    /// Starts a proxy in front of the server.
    ///
    /// # Errors
    ///
    /// The proxy cannot listen.
    pub async fn proxy(&self) -> anyhow::Result<Proxy> {
        Proxy::before(self.server.port()).await
    }

    /// Pushes a guest under its own name.
    ///
    /// # Errors
    ///
    /// The component is refused.
    pub async fn push(&self, module: &str) -> anyhow::Result<()> {
        self.push_as(module, module, "").await
    }

    /// Pushes a guest under a name, with a policy in TOML.
    ///
    /// # Errors
    ///
    /// The component is refused.
    pub async fn push_as(&self, guest: &str, module: &str, policy: &str) -> anyhow::Result<()> {
        self.push_file(&paths::guest(guest), module, policy).await
    }

    /// Pushes a component from a file under a name, with a policy in TOML.
    ///
    /// # Errors
    ///
    /// The component is refused.
    pub async fn push_file(&self, component: &Path, module: &str, policy: &str) -> anyhow::Result<()> {
        let policy = self.file(&format!("{module}.toml"), policy.as_bytes())?;
        let component = argument(component)?;
        let policy = argument(&policy)?;
        let pushed =
            self.wasmhost(&["module", "push", component, "--name", module, "--policy", policy]).await?;
        pushed.ok().map(drop)
    }

    /// Pushes a component that has the tasks of a guest, without compiling it: the host that runs it is the first to do so.
    ///
    /// # Errors
    ///
    /// The component is refused.
    pub async fn push_cold(
        &self,
        guest: &str,
        module: &str,
        wasm: Bytes,
        policy: Policy,
    ) -> anyhow::Result<()> {
        self.push(guest).await?;
        let client = self.client().await?;
        let manifest = client.modules().show(&ModuleName::parse(guest)?).await?.manifest;
        client.modules().push(&ModuleName::parse(module)?, wasm, policy, manifest).await?;
        Ok(())
    }

    /// The path of a directory of the test's own, which is removed with the deployment.
    #[must_use]
    pub fn directory(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Runs a `wasmhost` command.
    ///
    /// # Errors
    ///
    /// The command cannot be run. An exit code is no error here.
    pub async fn wasmhost(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.command().run(arguments).await
    }

    /// The program `wasmhost` for this server, for other ways of running it.
    #[must_use]
    pub fn command(&self) -> Wasmhost {
        Wasmhost::at(self.server.url())
    }

    /// The program with these faults in it, in the syntax of `FAILPOINTS`.
    ///
    /// # Errors
    ///
    /// The program with faults was not built.
    pub fn faulty(&self, failpoints: &str) -> anyhow::Result<Wasmhost> {
        let environment = vec![("FAILPOINTS".to_owned(), failpoints.to_owned())];
        Ok(self.command().program(Some(paths::wasmhost_with_faults()?)).environment(environment))
    }

    /// Starts a host with these faults in it, and waits until it takes jobs.
    ///
    /// # Errors
    ///
    /// The host does not come to serve; with its log.
    pub async fn faulty_host(&self, failpoints: &str, flags: &[&str]) -> anyhow::Result<Host> {
        Host::serving(&self.faulty(failpoints)?, flags).await
    }

    /// Writes a file of the test's own.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn file(&self, name: &str, content: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Connects a client.
    ///
    /// # Errors
    ///
    /// The client cannot connect.
    pub async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::connect(ClientConfig::new(self.server.url())).await?)
    }

    /// A handle on a job.
    ///
    /// # Errors
    ///
    /// The client cannot connect, or the text is not a key.
    pub async fn job(&self, key: &str) -> anyhow::Result<JobHandle> {
        Ok(self.client().await?.job(&JobKey::parse(key)?))
    }

    /// A user who only has the `nats` command line.
    ///
    /// # Errors
    ///
    /// The command line is not installed.
    pub fn outsider(&self) -> anyhow::Result<Outsider> {
        Outsider::new(self.server.url(), self.nats.clone())
    }

    /// A connection that sends any bytes.
    ///
    /// # Errors
    ///
    /// The server cannot be reached.
    pub async fn stranger(&self) -> anyhow::Result<Stranger> {
        Stranger::connect(self.server.port()).await
    }

    /// Ends the server as a crash would, and starts it again.
    ///
    /// # Errors
    ///
    /// The server does not start again.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        self.server.kill()?;
        self.server.restart()?;
        // The old connection may not have noticed yet.
        self.nats = async_nats::connect(self.server.url()).await.context("connecting")?;
        Ok(())
    }

    /// Records every transition from now on.
    ///
    /// # Errors
    ///
    /// There is no connection.
    pub async fn events(&self) -> anyhow::Result<Events> {
        Events::record(&self.nats).await
    }

    /// Records for the auditor from now on. A host must have made the streams before.
    ///
    /// # Errors
    ///
    /// The recorder cannot connect.
    pub async fn audited(&self) -> anyhow::Result<Audited> {
        Audited::start(&self.server.url()).await
    }

    /// Publishes a job as any NATS client does, with these headers, and waits for the stream's answer. It returns the
    /// sequence of the message.
    ///
    /// # Errors
    ///
    /// The stream does not take the message.
    pub async fn publish(&self, subject: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, *value);
        }
        let body = Bytes::from(body.to_owned());
        let answer = self.jetstream().publish_with_headers(subject.to_owned(), map, body).await?;
        Ok(answer.await?.sequence)
    }
}

/// Starts a server without connecting to it, for those that ask for credentials.
///
/// # Errors
///
/// There is no nats-server, or it does not start.
pub fn server(options: &Options) -> anyhow::Result<Server> {
    Ok(Server::start(&paths::nats_server()?, options)?)
}
