//! A host as a real child process: `wasmhost serve`, ready when it says so, ended by a signal or killed on drop.

use std::process::ExitStatus;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{process::Child, task::JoinSet};

use crate::{
    limit::{until, within},
    lines::Lines,
    wasmhost::Wasmhost,
};

/// What a host logs, with its id behind it, when it pulls.
const SERVING: &str = "serving host.id=";

/// The endpoints of the service.
const ENDPOINTS: usize = 3;

/// A running host.
#[derive(Debug)]
pub struct Host {
    /// What it logs.
    pub log: Lines,
    child: Child,
    _tasks: JoinSet<()>,
}

impl Host {
    /// Starts a host on `url`, and waits until it pulls and its services answer through `nats`.
    pub(crate) async fn start(url: &str, flags: &[&str], nats: &async_nats::Client) -> anyhow::Result<Self> {
        let mut host = Self::spawn(url, flags)?;
        host.log.wait_for(SERVING).await.context("the host does not serve")?;
        until("the services of a host", async || {
            Ok(endpoints(nats).await.filter(|count| *count >= ENDPOINTS))
        })
        .await
        .with_context(|| format!("its log:\n{}", host.log.text()))?;
        Ok(host)
    }

    /// Starts a host and does not wait for it.
    ///
    /// # Errors
    ///
    /// Where it cannot be run.
    pub fn spawn(url: &str, flags: &[&str]) -> anyhow::Result<Self> {
        let arguments: Vec<_> = ["serve"].iter().chain(flags).copied().collect();
        let mut child = Wasmhost::at(url).command(&arguments)?.spawn().context("running wasmhost serve")?;
        let mut tasks = JoinSet::new();
        let log = Lines::of(child.stderr.take().context("no standard error")?, &mut tasks);
        Ok(Self { log, child, _tasks: tasks })
    }

    /// Asks it to drain (SIGTERM).
    ///
    /// # Errors
    ///
    /// Where it has ended already.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Stops it in its tracks (SIGSTOP), as a machine does that sleeps.
    ///
    /// # Errors
    ///
    /// Where it has ended already.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a paused host go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// Where it has ended already.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Ends it as a crash would (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    ///
    /// Where it has ended already: then the crash that the test is about did not happen.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.check_alive()?;
        self.signal(Signal::KILL)?;
        self.end().await.map(drop)
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// Where it takes too long; with its log.
    pub async fn end(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = within("the end of the host", self.child.wait()).await;
        Ok(ended.with_context(|| format!("its log:\n{}", self.log.text()))??)
    }

    /// Checks that it still runs and never panicked.
    ///
    /// # Errors
    ///
    /// Where it does not, or did; with its log.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        let log = self.log.text();
        if let Some(status) = self.child.try_wait()? {
            bail!("the host has ended ({status}); its log:\n{log}");
        }
        ensure!(!log.contains("panicked at"), "the host panicked; its log:\n{log}");
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().context("the host has ended already")?;
        let pid = Pid::from_raw(id.cast_signed()).context("a process without an id")?;
        kill_process(pid, signal).with_context(|| format!("sending {signal:?} to the host"))
    }
}

/// How many endpoints the service shows; none where it does not answer.
async fn endpoints(nats: &async_nats::Client) -> Option<usize> {
    let info = nats.request("$SRV.INFO.wasmhost", "".into()).await.ok()?;
    let info: Value = serde_json::from_slice(&info.payload).ok()?;
    Some(info["endpoints"].as_array()?.len())
}
