//! Carries out the faults of a plan, each at its time, and notes each fault when it has really happened.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use nats_server_child::Server;
use tokio::{
    task::{JoinSet, block_in_place},
    time::{Instant, sleep_until, timeout},
};

use super::{
    fault::{Fault, Kind, Line, Moment, Planned, Write},
    fleet::{Fleet, HostSlot, proxy_of},
    notes::{Hit, Notes},
    observers::Observers,
    witness::Witness,
};
use crate::{
    limit::until,
    proxy::{Direction, Flow, Proxy},
};

/// How long a fault waits for its host to have work.
const IDLE_AT_MOST: Duration = Duration::from_millis(600);

/// The auditor's word for a line on which nothing comes through until it is healed. A delivery may wait there for longer than its
/// lease lasts.
const CUT_OFF: &str = "cut";

/// The auditor's word for the end of a cut.
const HEALED: &str = "heal";

/// What faults are done to, and what came of them.
pub(super) struct FaultInjector<'a> {
    pub(super) server: &'a mut Server,
    pub(super) fleet: &'a Fleet,
    pub(super) clients: &'a Proxy,
    pub(super) observers: &'a Observers,
    pub(super) witness: &'a Witness,
    pub(super) notes: Arc<Notes>,
    pub(super) tally: Tally,
}

/// What really happened.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Faults by kind.
    pub(super) happened: BTreeMap<Kind, usize>,
    /// The ids of paused hosts, by their host slots.
    paused: BTreeMap<usize, String>,
    /// How many frames a stalled line had held back before.
    stalled: BTreeMap<String, (Kind, u64)>,
    /// Tasks that wait until an answer is lost, to note it.
    losing: JoinSet<()>,
}

impl FaultInjector<'_> {
    /// Carries out all faults, each at its time from `start` on.
    pub(super) async fn carry_out(&mut self, faults: &[Planned], start: Instant) -> anyhow::Result<()> {
        for Planned { at, fault } in faults {
            sleep_until(start + *at).await;
            self.happen(*fault).await.with_context(|| format!("at {at:?}: {fault:?}"))?;
        }
        Ok(())
    }

    /// Ends every fault that lasts.
    pub(super) fn end_all(&mut self) {
        self.fleet.resume_all();
        for proxy in self.lines() {
            proxy.flow(Direction::ToServer, Flow::Open);
            proxy.flow(Direction::ToClient, Flow::Open);
        }
        while let Some(noted) = self.tally.losing.try_join_next() {
            if noted.is_ok() {
                *self.tally.happened.entry(Kind::LostAnswer).or_default() += 1;
            }
        }
        self.tally.losing.abort_all();
    }

    async fn happen(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(host_slot) => self.kill(host_slot).await,
            Fault::Pause(host_slot) => self.pause(host_slot).await,
            Fault::Resume(host_slot) => {
                self.resume(host_slot);
                Ok(())
            }
            Fault::Terminate(host_slot) => self.terminate(host_slot).await,
            Fault::KillServer(Moment::AtRest) => self.kill_server().await,
            Fault::KillServer(Moment::AmidWrites) => self.kill_server_amid_writes(),
            Fault::StartServer => self.start_server().await,
            Fault::Cut(line) => {
                self.cut(line);
                Ok(())
            }
            Fault::Stall(line, direction) => {
                self.stall(line, direction);
                Ok(())
            }
            Fault::Slow(line, delay) => {
                let (proxy, name) = self.line(line);
                proxy.flow(Direction::ToServer, Flow::Late(delay));
                proxy.flow(Direction::ToClient, Flow::Late(delay));
                self.happened(Kind::Slow, Hit::host(name));
                Ok(())
            }
            Fault::Heal(line) => {
                self.heal(line);
                Ok(())
            }
            Fault::LoseAnswer(line, write) => {
                self.lose_answer(line, write);
                Ok(())
            }
        }
    }

    async fn kill(&mut self, host_slot: usize) -> anyhow::Result<()> {
        let host_slot = &self.fleet.host_slots[host_slot];
        self.wait_for_work(host_slot).await;
        let host = until("a host to kill", async || Ok(host_slot.take())).await?;
        let id = host.id().unwrap_or_else(|| host_slot.name());
        host.kill().await?;
        self.happened(Kind::Kill, Hit::host(id));
        Ok(())
    }

    /// Waits a moment for an idle host to get work, because an idle host has nothing to lose.
    async fn wait_for_work(&self, host_slot: &HostSlot) {
        if let Some(host) = host_slot.host_id() {
            // A host that gets no work in time is hit without any.
            let _ = timeout(IDLE_AT_MOST, self.witness.until_busy(&host)).await;
        }
    }

    async fn pause(&mut self, number: usize) -> anyhow::Result<()> {
        let host_slot = &self.fleet.host_slots[number];
        self.wait_for_work(host_slot).await;
        let id = until("a host to pause", async || host_slot.pause()).await?;
        self.tally.paused.insert(number, id.clone());
        self.happened(Kind::Pause, Hit::host(id));
        Ok(())
    }

    fn resume(&mut self, number: usize) {
        let Some(id) = self.tally.paused.remove(&number) else { return };
        // The host may have been killed while it was paused.
        if self.fleet.host_slots[number].resume(&id) {
            self.notes.fault("resume", Hit::host(id));
        }
    }

    async fn terminate(&mut self, host_slot: usize) -> anyhow::Result<()> {
        let host_slot = &self.fleet.host_slots[host_slot];
        let id = until("a host to replace", async || host_slot.terminate()).await?;
        self.happened(Kind::Terminate, Hit::host(id));
        Ok(())
    }

    /// Kills the server with no write under way. All lines are closed first, as in a crash of the machine, and the observers
    /// receive everything that was stored until then: an observer that lost its connection together with the clients would not
    /// know what it missed. Requests and answers on the lines are lost with the server.
    async fn kill_server(&mut self) -> anyhow::Result<()> {
        self.lines().for_each(Proxy::close);
        self.observers.catch_up().await?;
        block_in_place(|| self.server.kill())?;
        self.happened(Kind::ServerKill, Hit::default());
        for proxy in self.lines() {
            proxy.cut();
        }
        Ok(())
    }

    /// Kills the server with writes under way, whose answers are lost. The observers read what they missed when they are back.
    /// A revision that was overwritten by then is missing, and the run proves nothing. That is rare, because it takes two
    /// writes of one record in the last instant.
    fn kill_server_amid_writes(&mut self) -> anyhow::Result<()> {
        block_in_place(|| self.server.kill())?;
        self.lines().for_each(Proxy::close);
        self.happened(Kind::ServerKillAmidWrites, Hit::default());
        for proxy in self.lines() {
            proxy.cut();
        }
        Ok(())
    }

    /// Starts the server again. The observers are back before the lines are opened, so that they miss nothing.
    async fn start_server(&mut self) -> anyhow::Result<()> {
        block_in_place(|| self.server.restart())?;
        self.observers.come_back().await?;
        self.lines().for_each(Proxy::open);
        Ok(())
    }

    /// Cuts all connections of a line. While the server is down there is none.
    fn cut(&mut self, line: Line) {
        let (proxy, name) = self.line(line);
        if proxy.cut() > 0 {
            self.happened(Kind::Cut, Hit::host(name.clone()));
            self.notes.fault(HEALED, Hit::host(name));
        }
    }

    fn stall(&mut self, line: Line, direction: Direction) {
        let (proxy, name) = self.line(line);
        let held = proxy.held();
        proxy.flow(direction, Flow::Stalled);
        let kind = match direction {
            Direction::ToServer => Kind::StallToServer,
            Direction::ToClient => Kind::StallToClient,
        };
        self.notes.fault(CUT_OFF, Hit::host(name.clone()));
        self.tally.stalled.insert(name, (kind, held));
    }

    /// Ends a stall or a delay. A stall that held back no frame does not count as having happened.
    fn heal(&mut self, line: Line) {
        let (proxy, name) = self.line(line);
        let held = proxy.held();
        proxy.flow(Direction::ToServer, Flow::Open);
        proxy.flow(Direction::ToClient, Flow::Open);
        if let Entry::Occupied(stalled) = self.tally.stalled.entry(name.clone()) {
            let (kind, before) = stalled.remove();
            if held > before {
                *self.tally.happened.entry(kind).or_default() += 1;
            }
        }
        self.notes.fault(HEALED, Hit::host(name));
    }

    fn lose_answer(&mut self, line: Line, write: Write) {
        let (proxy, name) = self.line(line);
        let swallowed =
            proxy.swallow_answer("$KV.wasmhost-states.", &format!(r#""state":"{}""#, write.state()));
        let notes = Arc::clone(&self.notes);
        self.tally.losing.spawn(async move {
            // Where the answer never comes, nothing was lost.
            let Ok(()) = swallowed.lost().await else { return std::future::pending().await };
            notes.fault(Kind::LostAnswer.word(), Hit::host(name));
        });
    }

    fn happened(&mut self, kind: Kind, hit: Hit) {
        self.notes.fault(kind.word(), hit);
        *self.tally.happened.entry(kind).or_default() += 1;
    }

    fn line(&self, line: Line) -> (&Proxy, String) {
        proxy_of(self.fleet, self.clients, line)
    }

    fn lines(&self) -> impl Iterator<Item = &Proxy> {
        self.fleet.host_slots.iter().map(|host_slot| &host_slot.proxy).chain([self.clients])
    }
}
