//! The host of the demo: `wasmhost serve` as a child, killed on drop, so that no way out of the demo leaves it behind.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// How long the host may take to drain; nothing runs by then.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// How long it may take to create the streams.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Between two looks for the streams.
const PAUSE: Duration = Duration::from_millis(20);

/// The running host.
pub(crate) struct Host {
    child: Child,
    log: PathBuf,
}

impl Host {
    /// Starts the host, and waits until it has created what it takes jobs from.
    pub(crate) async fn start(
        wasmhost: &Path,
        server: &nats_server_child::Server,
        client: &async_nats::Client,
    ) -> anyhow::Result<Self> {
        let log = server.store().join("wasmhost.log");
        let log_file = File::create(&log).context("creating the host's log")?;
        let child = Command::new(wasmhost)
            .args(["serve", "--nats", &server.url()])
            .stdin(Stdio::null())
            .stdout(log_file.try_clone().context("sharing the host's log")?)
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .context("running wasmhost serve")?;
        let mut host = Self { child, log };
        match timeout(START_LIMIT, host.wait_for_stream(client)).await {
            Ok(ready) => ready.map(|()| host),
            Err(_) => bail!("no job stream after {} s; {}", START_LIMIT.as_secs(), host.log_text()),
        }
    }

    async fn wait_for_stream(&mut self, client: &async_nats::Client) -> anyhow::Result<()> {
        let jetstream = async_nats::jetstream::new(client.clone());
        while jetstream.get_stream("WASMHOST_JOBS").await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("wasmhost serve ended at once ({status}); {}", self.log_text());
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Asks the host to drain (SIGTERM), and waits for its end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let Some(pid) = pid else { bail!("wasmhost serve has ended by itself; {}", self.log_text()) };
        kill_process(pid, Signal::TERM).context("sending SIGTERM to wasmhost serve")?;
        let status = timeout(STOP_LIMIT, self.child.wait())
            .await
            .with_context(|| format!("wasmhost serve did not end within {} s", STOP_LIMIT.as_secs()))??;
        ensure!(status.success(), "wasmhost serve ended with {status}; {}", self.log_text());
        Ok(())
    }

    /// What it logged, for errors.
    pub(crate) fn log_text(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        format!("its log:\n{}", String::from_utf8_lossy(&log))
    }
}
