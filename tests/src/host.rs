//! A host as a real child process: `wasmhost serve`, ready when it says so, ended by a signal or killed on drop.

use std::{process::ExitStatus, time::Duration};

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
        Self::spawn_by(&Wasmhost::at(url), flags)
    }

    /// The same with a program of one's own.
    ///
    /// # Errors
    ///
    /// Where it cannot be run.
    pub fn spawn_by(wasmhost: &Wasmhost, flags: &[&str]) -> anyhow::Result<Self> {
        let arguments: Vec<_> = ["serve"].iter().chain(flags).copied().collect();
        let mut child = wasmhost.command(&arguments)?.spawn().context("running wasmhost serve")?;
        let mut tasks = JoinSet::new();
        let log = Lines::of(child.stderr.take().context("no standard error")?, &mut tasks);
        Ok(Self { log, child, _tasks: tasks })
    }

    /// Its id, once it serves.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let line = self.log.find(SERVING)?;
        let (_, id) = line.split_once(SERVING)?;
        id.split_whitespace().next().map(ToOwned::to_owned)
    }

    /// How it ended; none where it runs.
    ///
    /// # Errors
    ///
    /// Where the operating system does not tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The processor time that it has used so far, in steps of 10 ms.
    ///
    /// # Errors
    ///
    /// Where it has ended.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let fields = self.stat()?;
        // utime and stime.
        let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).context("no time");
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    /// What it holds of the machine's memory, in bytes.
    ///
    /// # Errors
    ///
    /// Where it has ended.
    pub fn memory(&self) -> anyhow::Result<u64> {
        self.memory_line("VmRSS:")
    }

    /// The most that it held since [`Self::forget_peak`], in bytes.
    ///
    /// # Errors
    ///
    /// Where it has ended.
    pub fn memory_peak(&self) -> anyhow::Result<u64> {
        self.memory_line("VmHWM:")
    }

    /// Counts its peak anew.
    ///
    /// # Errors
    ///
    /// Where it has ended, or the kernel does not let this user.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        let id = self.child.id().context("the host has ended already")?;
        std::fs::write(format!("/proc/{id}/clear_refs"), "5").context("counting the peak anew")
    }

    fn memory_line(&self, name: &str) -> anyhow::Result<u64> {
        let id = self.child.id().context("the host has ended already")?;
        let status =
            std::fs::read_to_string(format!("/proc/{id}/status")).context("reading what the kernel says")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("no number of kB")?;
        Ok(kib << 10)
    }

    /// Its child processes that run this command.
    ///
    /// # Errors
    ///
    /// Where it has ended.
    pub fn children(&self, command: &str) -> anyhow::Result<Vec<Pid>> {
        let id = self.child.id().context("the host has ended already")?;
        let mut children = Vec::new();
        for task in std::fs::read_dir(format!("/proc/{id}/task")).context("reading what the kernel says")? {
            // A thread that has ended meanwhile has none.
            let text = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
            // Before it runs its own command, one is still the host, which stands still until it does.
            let runs = |id: &&str| {
                let line = std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
                line.split('\0').nth(1) == Some(command)
            };
            let found = text.split_whitespace().filter(runs);
            children.extend(found.filter_map(|id| Pid::from_raw(id.parse().ok()?)));
        }
        Ok(children)
    }

    /// Asks it to drain (SIGTERM).
    ///
    /// # Errors
    ///
    /// Where it has ended already.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Tells it that its terminal is closed (SIGHUP).
    ///
    /// # Errors
    ///
    /// Where it has ended already.
    pub fn hang_up(&self) -> anyhow::Result<()> {
        self.signal(Signal::HUP)
    }

    /// Stops it in its tracks (SIGSTOP), as a machine does that sleeps.
    ///
    /// # Errors
    ///
    /// Where it has ended already.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Whether it stands still, whoever stopped it.
    ///
    /// # Errors
    ///
    /// Where it has ended.
    pub fn is_paused(&self) -> anyhow::Result<bool> {
        Ok(self.stat()?.first().is_some_and(|state| state == "T"))
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
        if let Some(status) = self.ended()? {
            bail!("the host has ended ({status}); its log:\n{log}");
        }
        ensure!(!log.contains("panicked at"), "the host panicked; its log:\n{log}");
        Ok(())
    }

    /// What the kernel says of it, behind the program's name, which may hold anything: its state is the first.
    fn stat(&self) -> anyhow::Result<Vec<String>> {
        let id = self.child.id().context("the host has ended already")?;
        let stat =
            std::fs::read_to_string(format!("/proc/{id}/stat")).context("reading what the kernel says")?;
        Ok(stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect())
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
