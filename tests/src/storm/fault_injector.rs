//! Carries the faults of a plan out, each at its time, and notes each when it has really happened.

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

/// The auditor's word for a line on which nothing comes through, until it is healed: a delivery may wait there longer than
/// its lease lasts.
const CUT_OFF: &str = "cut";

/// Its word for the end of that.
const HEALED: &str = "heal";

/// Who makes the fault_injector, and what of it came.
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
    /// Who sleeps on which host_slot.
    paused: BTreeMap<usize, String>,
    /// Frames that a line had held back before it was stalled.
    stalled: BTreeMap<String, (Kind, u64)>,
    /// Who waits for an answer that is to be lost, to note it.
    losing: JoinSet<()>,
}

impl FaultInjector<'_> {
    /// Carries out all of them, from `start` on.
    pub(super) async fn carry_out(&mut self, faults: &[Planned], start: Instant) -> anyhow::Result<()> {
        for Planned { at, fault } in faults {
            sleep_until(start + *at).await;
            self.happen(*fault).await.with_context(|| format!("at {at:?}: {fault:?}"))?;
        }
        Ok(())
    }

    /// Ends everything that lasts.
    pub(super) fn quiescent(&mut self) {
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

    /// An idle host has nothing to lose: it is given a moment.
    async fn wait_for_work(&self, host_slot: &HostSlot) {
        if let Some(host) = host_slot.host_id() {
            // Idle all the same: then it dies idle.
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
        // It may have been killed while it slept.
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

    /// All lines are shut first, as by the crash of the machine, and what the server had stored until then is seen: an
    /// observer that loses its connection with the others could not tell what it missed. What is under way on the
    /// lines then is lost with the server, questions and answers alike.
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

    /// Whoever writes at the moment hears nothing more. What was stored and not told to the observers they read when they are
    /// back; what was written over by then is missing, and the run proves nothing: that is rare, since it takes two writes of
    /// one record in the last instant.
    fn kill_server_amid_writes(&mut self) -> anyhow::Result<()> {
        block_in_place(|| self.server.kill())?;
        self.lines().for_each(Proxy::close);
        self.happened(Kind::ServerKillAmidWrites, Hit::default());
        for proxy in self.lines() {
            proxy.cut();
        }
        Ok(())
    }

    /// The observers are back first: they are to miss nothing.
    async fn start_server(&mut self) -> anyhow::Result<()> {
        block_in_place(|| self.server.restart())?;
        self.observers.come_back().await?;
        self.lines().for_each(Proxy::open);
        Ok(())
    }

    /// While the server is away there is nothing to cut, and it comes back only when this is over.
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

    /// A stall that held nothing back was none.
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
            // An answer that never comes is none that is lost.
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
