//! A host as a real child process: `wasmhost serve`, ready when it says so, ended by a signal or killed on drop.

mod kernel;

use std::process::ExitStatus;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{process::Child, task::JoinSet};

use crate::{
    limit::{until, within},
    lines::{Level, Lines},
    promised::{PANICKED, SERVING},
    wasmhost::Wasmhost,
};

/// The endpoints of the service.
const ENDPOINTS: usize = 3;

/// A running host.
#[derive(Debug)]
pub struct Host {
    /// What the host logs. Tests wait for promised lines only, and otherwise use levels and fields.
    pub log: Lines,
    child: Child,
    _tasks: JoinSet<()>,
}

impl Host {
    /// Starts a host on `url`, and waits until it takes jobs and its services answer through `nats`.
    pub(crate) async fn start(url: &str, flags: &[&str], nats: &async_nats::Client) -> anyhow::Result<Self> {
        let host = Self::serving(&Wasmhost::at(url), flags).await?;
        until("the services of a host", async || {
            Ok(endpoints(nats).await.filter(|count| *count >= ENDPOINTS))
        })
        .await
        .with_context(|| host.log_so_far())?;
        Ok(host)
    }

    /// Starts a host and waits until it takes jobs.
    ///
    /// # Errors
    ///
    /// The host cannot be run, or does not come to serve; with its log.
    pub async fn serving(wasmhost: &Wasmhost, flags: &[&str]) -> anyhow::Result<Self> {
        let mut host = Self::spawn(wasmhost, flags)?;
        host.until_serving().await?;
        Ok(host)
    }

    /// Starts a host and does not wait for it.
    ///
    /// # Errors
    ///
    /// The host cannot be run.
    pub fn spawn(wasmhost: &Wasmhost, flags: &[&str]) -> anyhow::Result<Self> {
        let arguments: Vec<_> = ["serve"].iter().chain(flags).copied().collect();
        let mut child = wasmhost.command(&arguments)?.spawn().context("running wasmhost serve")?;
        let mut tasks = JoinSet::new();
        let log = Lines::of(child.stderr.take().context("no standard error")?, &mut tasks);
        Ok(Self { log, child, _tasks: tasks })
    }

    /// Waits until the host takes jobs.
    ///
    /// # Errors
    ///
    /// The host ends or takes too long; with its log.
    pub async fn until_serving(&mut self) -> anyhow::Result<()> {
        self.log.wait_for(SERVING).await.context("the host does not serve").map(drop)
    }

    /// The host's id; none before it takes jobs.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let line = self.log.find(SERVING)?;
        let (_, id) = line.split_once(SERVING)?;
        id.split_whitespace().next().map(ToOwned::to_owned)
    }

    /// The host's id.
    ///
    /// # Errors
    ///
    /// The host does not take jobs yet.
    pub fn known_id(&self) -> anyhow::Result<String> {
        self.id().with_context(|| format!("a host that does not serve; {}", self.log_so_far()))
    }

    /// How the host ended, or none while it runs.
    ///
    /// # Errors
    ///
    /// The operating system does not know the process.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks the host to drain (SIGTERM).
    ///
    /// # Errors
    ///
    /// The host has ended already.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Tells the host that its terminal is closed (SIGHUP).
    ///
    /// # Errors
    ///
    /// The host has ended already.
    pub fn hang_up(&self) -> anyhow::Result<()> {
        self.signal(Signal::HUP)
    }

    /// Stops the host where it is (SIGSTOP), like a machine that sleeps.
    ///
    /// # Errors
    ///
    /// The host has ended already.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a paused host go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// The host has ended already.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Ends the host as a crash would (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    ///
    /// The host has ended already: the crash that the test is about did not happen.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.check_alive()?;
        self.signal(Signal::KILL)?;
        self.end().await.map(drop)
    }

    /// Asks the host to drain, and waits until it has ended well.
    ///
    /// # Errors
    ///
    /// The host takes too long, or ends with another exit code than 0.
    pub async fn drain(&mut self) -> anyhow::Result<()> {
        self.terminate()?;
        self.until_drained().await
    }

    /// Waits until a host that drains has ended well.
    ///
    /// # Errors
    ///
    /// The host takes too long, or ends with another exit code than 0.
    pub async fn until_drained(&mut self) -> anyhow::Result<()> {
        let status = self.end().await?;
        ensure!(status.code() == Some(0), "the host ended with {status}; {}", self.log_so_far());
        Ok(())
    }

    /// Waits for the end of the host.
    ///
    /// # Errors
    ///
    /// It takes too long; with its log.
    pub async fn end(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = within("the end of the host", self.child.wait()).await;
        Ok(ended.with_context(|| self.log_so_far())??)
    }

    /// Checks that the host still runs and never panicked.
    ///
    /// # Errors
    ///
    /// The host has ended, or panicked; with its log.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.ended()? {
            bail!("the host has ended ({status}); {}", self.log_so_far());
        }
        ensure!(self.log.find(PANICKED).is_none(), "the host panicked; {}", self.log_so_far());
        Ok(())
    }

    /// Checks that the host logged neither a warning nor an error.
    ///
    /// # Errors
    ///
    /// The host logged one.
    pub fn check_no_warnings(&self) -> anyhow::Result<()> {
        let complaints = self.log.at_least(Level::Warn);
        ensure!(complaints.is_empty(), "warnings and errors: {complaints:#?}");
        Ok(())
    }

    /// Checks that the host logged a warning or an error.
    ///
    /// # Errors
    ///
    /// The host logged none.
    pub fn check_warned(&self) -> anyhow::Result<()> {
        ensure!(!self.log.at_least(Level::Warn).is_empty(), "no warning and no error; {}", self.log_so_far());
        Ok(())
    }

    /// Waits for a line of at least this level that has a text in it, such as the name of a bucket or of a flag.
    ///
    /// # Errors
    ///
    /// There is none in time; with the log.
    pub async fn until_logged(&mut self, level: Level, text: &str) -> anyhow::Result<()> {
        let what = format!("a line of level {level:?} with {text:?}");
        let wanted = |lines: &Vec<String>| {
            lines.iter().any(|line| Level::of(line) >= Some(level) && line.contains(text))
        };
        self.log.until(&what, wanted).await.map(drop)
    }

    fn log_so_far(&self) -> String {
        format!("its log:\n{}", self.log.text())
    }

    fn process_id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the host has ended already")
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.process_id()?.cast_signed()).context("a process without an id")?;
        kill_process(pid, signal).with_context(|| format!("sending {signal:?} to the host"))
    }
}

/// How many endpoints the service shows; none where it does not answer.
async fn endpoints(nats: &async_nats::Client) -> Option<usize> {
    let info = nats.request("$SRV.INFO.wasmhost", "".into()).await.ok()?;
    let info: Value = serde_json::from_slice(&info.payload).ok()?;
    Some(info["endpoints"].as_array()?.len())
}
