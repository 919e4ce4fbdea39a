//! A deployment of a test's own: a private nats-server, and everything that is on it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use async_nats::{HeaderMap, jetstream};
use bytes::Bytes;
use nats_server_child::{Options, Server};
use serde_json::Value;
use tempfile::TempDir;
use wasmhost_client::protocol::ids::{JobKey, ModuleName};
use wasmhost_client::protocol::policy::Policy;
use wasmhost_client::{Client, ClientConfig, Handle};

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

/// A server with its data, and a connection that is nobody's but the test's.
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
    /// Where there is none, or it does not come up.
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

    /// A server and a host, with these guests pushed.
    ///
    /// # Errors
    ///
    /// Where one of them fails.
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
    /// Where it does not; with its log.
    pub async fn host(&self, flags: &[&str]) -> anyhow::Result<Host> {
        Host::start(&self.server.url(), flags, &self.nats).await
    }

    /// The same behind a proxy.
    ///
    /// # Errors
    ///
    /// Where it does not serve; with its log.
    pub async fn host_behind(&self, proxy: &Proxy, flags: &[&str]) -> anyhow::Result<Host> {
        Host::start(&proxy.url(), flags, &self.nats).await
    }

    /// A proxy before the server.
    ///
    /// # Errors
    ///
    /// Where it cannot listen.
    pub async fn proxy(&self) -> anyhow::Result<Proxy> {
        Proxy::before(self.server.port()).await
    }

    /// Pushes a guest under its own name.
    ///
    /// # Errors
    ///
    /// Where it is refused.
    pub async fn push(&self, module: &str) -> anyhow::Result<()> {
        self.push_as(module, module, "").await
    }

    /// Pushes a guest under a name, with a policy in TOML.
    ///
    /// # Errors
    ///
    /// Where it is refused.
    pub async fn push_as(&self, guest: &str, module: &str, policy: &str) -> anyhow::Result<()> {
        self.push_file(&paths::guest(guest), module, policy).await
    }

    /// Pushes a component from a file under a name, with a policy in TOML.
    ///
    /// # Errors
    ///
    /// Where it is refused.
    pub async fn push_file(&self, component: &Path, module: &str, policy: &str) -> anyhow::Result<()> {
        let policy = self.file(&format!("{module}.toml"), policy.as_bytes())?;
        let (component, policy) = (argument(component)?, argument(&policy)?);
        let pushed =
            self.wasmhost(&["module", "push", component, "--name", module, "--policy", policy]).await?;
        pushed.ok().map(drop)
    }

    /// Pushes a component that has the tasks of a guest, without compiling it: whoever runs it is the first who does.
    ///
    /// # Errors
    ///
    /// Where it is refused.
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

    /// A directory of the test's, for what is kept nowhere else.
    #[must_use]
    pub fn directory(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Runs a `wasmhost` command.
    ///
    /// # Errors
    ///
    /// Where it cannot be run; an exit code is no error here.
    pub async fn wasmhost(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.command().run(arguments).await
    }

    /// The program, for other ways of running it.
    #[must_use]
    pub fn command(&self) -> Wasmhost {
        Wasmhost::at(self.server.url())
    }

    /// The program with these faults in it, in the syntax of `FAILPOINTS`.
    ///
    /// # Errors
    ///
    /// Where nobody built it.
    pub fn faulty(&self, failpoints: &str) -> anyhow::Result<Wasmhost> {
        let program = paths::broken_wasmhost();
        let program = program.context("WASMHOST_FAULTS_BIN: `cargo xtask test` builds and names it")?;
        let environment = vec![("FAILPOINTS".to_owned(), failpoints.to_owned())];
        Ok(self.command().program(Some(program)).environment(environment))
    }

    /// A host with these faults in it, once it serves.
    ///
    /// # Errors
    ///
    /// Where it does not come so far.
    pub async fn faulty_host(&self, failpoints: &str, flags: &[&str]) -> anyhow::Result<Host> {
        let mut host = Host::spawn_by(&self.faulty(failpoints)?, flags)?;
        host.log.wait_for("serving host.id=").await?;
        Ok(host)
    }

    /// A file of the test's.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn file(&self, name: &str, content: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// A client.
    ///
    /// # Errors
    ///
    /// Where it cannot connect.
    pub async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::connect(ClientConfig::new(self.server.url())).await?)
    }

    /// A handle on a job.
    ///
    /// # Errors
    ///
    /// Where there is no connection, or this is no key.
    pub async fn job(&self, key: &str) -> anyhow::Result<Handle> {
        Ok(self.client().await?.job(&JobKey::parse(key)?))
    }

    /// Somebody who only has the `nats` command line.
    #[must_use]
    pub fn outsider(&self) -> Outsider {
        Outsider::new(self.server.url(), self.nats.clone())
    }

    /// Somebody who sends any bytes.
    ///
    /// # Errors
    ///
    /// Where there is no connection.
    pub async fn stranger(&self) -> anyhow::Result<Stranger> {
        Stranger::connect(self.server.port()).await
    }

    /// Ends the server as a crash would, and starts it again.
    ///
    /// # Errors
    ///
    /// Where it does not come up.
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
    /// Where the subscription fails.
    pub async fn events(&self) -> anyhow::Result<Events> {
        Events::record(&self.nats).await
    }

    /// Records for the auditor from now on; a host must have made the streams.
    ///
    /// # Errors
    ///
    /// Where it cannot connect.
    pub async fn audited(&self) -> anyhow::Result<Audited> {
        Audited::start(&self.server.url()).await
    }

    /// Publishes a job as any NATS client does, with these headers, and waits for the stream's answer.
    ///
    /// # Errors
    ///
    /// Where the stream does not take it.
    pub async fn publish(&self, subject: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, *value);
        }
        let jetstream = jetstream::new(self.nats.clone());
        let body = Bytes::from(body.to_owned());
        let answer = jetstream.publish_with_headers(subject.to_owned(), map, body).await?;
        Ok(answer.await?.sequence)
    }

    /// The record of a job as it stands in the bucket; none where there is none.
    ///
    /// # Errors
    ///
    /// Where the bucket cannot be read.
    pub async fn record(&self, key: &str) -> anyhow::Result<Option<Value>> {
        let bucket = jetstream::new(self.nats.clone()).get_key_value("wasmhost-states").await?;
        let entry = bucket.get(key.to_owned()).await?;
        entry.map(|value| serde_json::from_slice(&value).context("a record that is not JSON")).transpose()
    }
}

/// A server alone, for those that let nobody in without a password.
///
/// # Errors
///
/// Where there is none, or it does not come up.
pub fn server(options: &Options) -> anyhow::Result<Server> {
    Ok(Server::start(&paths::nats_server()?, options)?)
}
