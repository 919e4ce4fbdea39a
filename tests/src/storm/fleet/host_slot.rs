//! A host slot: one host runs in it at a time, behind the slot's proxy. A host that drains no longer counts, and ends beside its
//! successor.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::ExitStatus,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::process::Signal;

use crate::{host::Host, lines::Lines, promised::PANICKED, proxy::Proxy, wasmhost::Wasmhost};

/// The pause between two starts. A host that finds no server ends at once.
const START_EVERY: Duration = Duration::from_millis(300);

/// The exit code of a host that does not reach the server.
const UNREACHABLE: i32 = 69;

/// A host slot.
#[derive(Debug)]
pub(in crate::storm) struct HostSlot {
    number: usize,
    pub(in crate::storm) proxy: Proxy,
    wasmhost: Wasmhost,
    flags: Vec<String>,
    hosts: Mutex<Hosts>,
}

#[derive(Debug, Default)]
struct Hosts {
    /// The host that runs in the slot.
    now: Option<Host>,
    /// Hosts that drain.
    leaving: Vec<Host>,
    /// The logs of all hosts that there were, the newest last.
    logs: Vec<Lines>,
    /// When the newest host was started.
    started: Option<Instant>,
    /// What hosts did that no host may do.
    misbehaved: Vec<String>,
}

impl HostSlot {
    pub(super) fn new(number: usize, proxy: Proxy, wasmhost: Wasmhost, flags: Vec<String>) -> Self {
        Self { number, proxy, wasmhost, flags, hosts: Mutex::default() }
    }

    /// The name of the slot's line in a capture.
    pub(in crate::storm) fn name(&self) -> String {
        format!("host-slot-{}", self.number)
    }

    /// Forgets hosts that have ended, and starts a host where none runs.
    pub(super) fn look_after(&self) {
        let mut hosts = self.hosts();
        let Hosts { now, leaving, misbehaved, .. } = &mut *hosts;
        now.take_if(|host| has_gone(host, misbehaved, may_end_so));
        leaving.retain_mut(|host| !has_gone(host, misbehaved, may_leave_so));
        let soon = hosts.started.is_some_and(|started| started.elapsed() < START_EVERY);
        if hosts.now.is_none() && !soon {
            let flags: Vec<_> = self.flags.iter().map(String::as_str).collect();
            hosts.started = Some(Instant::now());
            match Host::spawn(&self.wasmhost, &flags) {
                Ok(host) => {
                    hosts.logs.push(host.log.clone());
                    hosts.now = Some(host);
                }
                Err(error) => hosts.misbehaved.push(format!("{}: {error:#}", self.name())),
            }
        }
    }

    /// The id of the slot's host, once it serves.
    pub(in crate::storm) fn host_id(&self) -> Option<String> {
        self.hosts().now.as_ref()?.id()
    }

    /// Takes the slot's host, to end it.
    pub(in crate::storm) fn take(&self) -> Option<Host> {
        self.hosts().now.take()
    }

    /// Takes the host with this id, to end it. It may be one that drains.
    pub(super) fn take_host(&self, id: &str) -> Option<Host> {
        let mut hosts = self.hosts();
        let is = |host: &Host| host.id().as_deref() == Some(id);
        let leaving = hosts.leaving.iter().position(is);
        hosts.now.take_if(|host| is(host)).or_else(|| Some(hosts.leaving.swap_remove(leaving?)))
    }

    /// Asks the slot's host to drain, and frees the slot. It returns the host's id; none where no host runs.
    pub(in crate::storm) fn terminate(&self) -> anyhow::Result<Option<String>> {
        let mut hosts = self.hosts();
        let Some(host) = hosts.now.take() else { return Ok(None) };
        host.terminate()?;
        let id = host.id().unwrap_or_else(|| self.name());
        hosts.leaving.push(host);
        Ok(Some(id))
    }

    /// Pauses the slot's host. It returns the host's id; none where no host runs.
    pub(in crate::storm) fn pause(&self) -> anyhow::Result<Option<String>> {
        let hosts = self.hosts();
        let Some(host) = &hosts.now else { return Ok(None) };
        host.pause()?;
        Ok(Some(host.id().unwrap_or_else(|| self.name())))
    }

    /// Resumes the host with this id. It returns false where the host has ended.
    pub(in crate::storm) fn resume(&self, id: &str) -> bool {
        let hosts = self.hosts();
        let mut all = hosts.now.iter().chain(&hosts.leaving);
        all.find(|host| host.id().as_deref() == Some(id)).is_some_and(|host| host.resume().is_ok())
    }

    pub(super) fn resume_all(&self) {
        let hosts = self.hosts();
        for host in hosts.now.iter().chain(&hosts.leaving) {
            // A host that has just ended cannot be resumed, and need not be.
            let _ = host.resume();
        }
    }

    /// The log of the newest host.
    pub(super) fn log(&self) -> String {
        self.hosts().logs.last().map(Lines::text).unwrap_or_default()
    }

    pub(super) fn misbehaved(&self) -> Vec<String> {
        let hosts = self.hosts();
        let panicked = hosts.logs.iter().filter_map(|log| log.find(PANICKED));
        hosts.misbehaved.iter().cloned().chain(panicked).collect()
    }

    pub(super) fn keep_logs(&self, directory: &Path) -> anyhow::Result<()> {
        for (number, log) in self.hosts().logs.iter().enumerate() {
            let path = directory.join(format!("{}-host-{number}.log", self.name()));
            fs::write(&path, log.text()).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a host has ended. It notes an end that a host must not have.
fn has_gone(host: &mut Host, misbehaved: &mut Vec<String>, may: fn(ExitStatus) -> bool) -> bool {
    match host.ended() {
        Ok(None) => false,
        Ok(Some(status)) => {
            if !may(status) {
                misbehaved.push(format!("a host ended by itself ({status}): {}", host.log.text()));
            }
            true
        }
        Err(error) => {
            misbehaved.push(format!("{error:#}"));
            true
        }
    }
}

/// Whether a host that was asked to drain may end like this: by the signal, too, where it came before the host listened.
fn may_leave_so(status: ExitStatus) -> bool {
    may_end_so(status) || status.signal() == Some(Signal::TERM.as_raw())
}

/// Whether a host may end like this by itself: drained, or because there is no server. A host that is killed was taken from its
/// slot before.
fn may_end_so(status: ExitStatus) -> bool {
    status.signal().is_none() && matches!(status.code(), Some(0 | UNREACHABLE))
}
