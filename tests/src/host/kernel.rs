//! What the kernel says of a host's process: processor time, memory, children.

use std::{fs, time::Duration};

use anyhow::Context;
use rustix::process::Pid;

use super::Host;

impl Host {
    /// The processor time that the host has used so far, in steps of 10 ms.
    ///
    /// # Errors
    ///
    /// The host has ended.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let fields = self.stat()?;
        // utime and stime.
        let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).context("no time");
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    /// What the host holds of the machine's memory, in bytes.
    ///
    /// # Errors
    ///
    /// The host has ended.
    pub fn memory(&self) -> anyhow::Result<u64> {
        self.memory_line("VmRSS:")
    }

    /// The most memory that the host held since [`Self::forget_peak`], in bytes.
    ///
    /// # Errors
    ///
    /// The host has ended.
    pub fn memory_peak(&self) -> anyhow::Result<u64> {
        self.memory_line("VmHWM:")
    }

    /// Starts to measure the peak anew.
    ///
    /// # Errors
    ///
    /// The host has ended, or the kernel does not let this user.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        fs::write(self.proc_file("clear_refs")?, "5").context("measuring the peak anew")
    }

    /// Whether the host is stopped, whoever stopped it.
    ///
    /// # Errors
    ///
    /// The host has ended.
    pub fn is_paused(&self) -> anyhow::Result<bool> {
        Ok(self.stat()?.first().is_some_and(|state| state == "T"))
    }

    /// The child processes that run this command.
    ///
    /// # Errors
    ///
    /// The host has ended.
    pub fn children(&self, command: &str) -> anyhow::Result<Vec<Pid>> {
        let mut children = Vec::new();
        for task in fs::read_dir(self.proc_file("task")?).context("reading /proc")? {
            // A thread that has ended meanwhile has none.
            let text = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
            // Before a child runs its own command, its command line is still that of the host.
            let runs = |id: &&str| {
                let line = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
                line.split('\0').nth(1) == Some(command)
            };
            let found = text.split_whitespace().filter(runs);
            children.extend(found.filter_map(|id| Pid::from_raw(id.parse().ok()?)));
        }
        Ok(children)
    }

    fn memory_line(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(self.proc_file("status")?).context("reading /proc")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("no number of kB")?;
        Ok(kib << 10)
    }

    /// The fields of `stat` behind the program's name, which may have any character: the first is the state.
    fn stat(&self) -> anyhow::Result<Vec<String>> {
        let stat = fs::read_to_string(self.proc_file("stat")?).context("reading /proc")?;
        Ok(stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect())
    }

    fn proc_file(&self, name: &str) -> anyhow::Result<String> {
        Ok(format!("/proc/{}/{name}", self.process_id()?))
    }
}
