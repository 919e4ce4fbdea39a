//! The hosts of a storm: real processes, each behind a proxy of its own. A host that ends is replaced in its host slot. All hosts
//! end when the fleet is dropped.

mod host_slot;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{fault::Line, plan::ACK_WAIT};
use crate::{limit::until, proxy::Proxy, wasmhost::Wasmhost};
pub(super) use host_slot::HostSlot;

/// How often the keeper checks whether a host has ended.
const CHECK_EVERY: Duration = Duration::from_millis(20);

/// How a storm's hosts are started.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    /// Another build of `wasmhost`; none for the usual one.
    pub(super) program: Option<PathBuf>,
    /// Variables in the hosts' environment.
    pub(super) environment: Vec<(String, String)>,
    /// The flags of `wasmhost serve`.
    pub(super) flags: Vec<String>,
}

/// The hosts.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) host_slots: Vec<Arc<HostSlot>>,
    _keeper: JoinSet<()>,
}

impl Fleet {
    /// Starts a host for each proxy, and waits until all of them serve.
    pub(super) async fn start(proxies: Vec<Proxy>, kit: &Kit) -> anyhow::Result<Self> {
        let host_slot = |(number, proxy): (usize, Proxy)| {
            let wasmhost =
                Wasmhost::at(proxy.url()).program(kit.program.clone()).environment(kit.environment.clone());
            Arc::new(HostSlot::new(number, proxy, wasmhost, kit.flags.clone()))
        };
        let host_slots: Vec<_> = proxies.into_iter().enumerate().map(host_slot).collect();
        let mut keeper = JoinSet::new();
        for host_slot in &host_slots {
            keeper.spawn(keep(Arc::clone(host_slot)));
        }
        let fleet = Self { host_slots, _keeper: keeper };
        fleet.all_serve().await?;
        Ok(fleet)
    }

    /// Waits until every host slot has a host that serves.
    pub(super) async fn all_serve(&self) -> anyhow::Result<()> {
        let serve =
            async || Ok(self.host_slots.iter().all(|host_slot| host_slot.host_id().is_some()).then_some(()));
        let logs = || self.host_slots.iter().map(|host_slot| host_slot.log()).collect::<Vec<_>>().join("\n");
        until("a host in every host slot", serve).await.with_context(|| format!("their logs:\n{}", logs()))
    }

    /// Kills the host with this id. It returns false where there is none.
    pub(super) async fn kill_host(&self, id: &str) -> bool {
        for host_slot in &self.host_slots {
            if let Some(host) = host_slot.take_host(id) {
                return host.kill().await.is_ok();
            }
        }
        false
    }

    /// Resumes all hosts that are paused.
    pub(super) fn resume_all(&self) {
        self.host_slots.iter().for_each(|host_slot| host_slot.resume_all());
    }

    /// What hosts did that no host may do: end by itself for another reason than a server that is down, or panic.
    pub(super) fn misbehaved(&self) -> Vec<String> {
        self.host_slots.iter().flat_map(|host_slot| host_slot.misbehaved()).collect()
    }

    /// Writes the log of every host that there was into a directory.
    pub(super) fn keep_logs(&self, directory: &Path) -> anyhow::Result<()> {
        self.host_slots.iter().try_for_each(|host_slot| host_slot.keep_logs(directory))
    }
}

/// The flags of a storm's hosts.
pub(super) fn flags(reconcile_after: Duration) -> Vec<String> {
    let seconds = |duration: Duration| format!("{}s", duration.as_secs());
    [
        ["--ack-wait".to_owned(), seconds(ACK_WAIT)],
        ["--queues".to_owned(), "default:3,other:1".to_owned()],
        ["--slots".to_owned(), "16".to_owned()],
        ["--grace".to_owned(), "1s".to_owned()],
        ["--reconcile-after".to_owned(), seconds(reconcile_after)],
        // Several storms share a disk.
        ["--storage".to_owned(), "700M".to_owned()],
    ]
    .concat()
}

/// The proxy of a line, and the line's name in a capture.
pub(super) fn proxy_of<'a>(fleet: &'a Fleet, clients: &'a Proxy, line: Line) -> (&'a Proxy, String) {
    match line {
        Line::Host(number) => (&fleet.host_slots[number].proxy, fleet.host_slots[number].name()),
        Line::Clients => (clients, "clients".to_owned()),
    }
}

/// Replaces hosts that have ended, until the fleet is dropped.
async fn keep(host_slot: Arc<HostSlot>) {
    let mut ticks = interval(CHECK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        host_slot.look_after();
    }
}
