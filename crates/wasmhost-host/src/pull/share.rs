//! Who gets the free slots. Pure: what is asked for, given what is free and what is known of each queue.
//!
//! Weights decide only between queues that have jobs waiting: there it is stride scheduling, in which the queue that had
//! least for its weight comes first. What is left over waits at the queues that are not known to have any, and is called
//! back from there when another one needs it. No slot is promised twice: nothing is asked for without one.

use std::time::Duration;

use tokio::time::Instant;

/// How long a request waits at the server.
const STANDS_FOR: Duration = Duration::from_secs(30);
/// The shortest time that one waits where there are more queues than slots, and they take turns.
const SHORTEST_TURN: Duration = Duration::from_millis(200);
/// One request in this time, of a whole host, finds out whether a queue has jobs: a bound on what idle queues cost the server.
const TURN: Duration = Duration::from_millis(50);
/// What one delivery costs a queue of weight 1.
const STRIDE: u64 = 1 << 20;

/// What is known of the queues of a host.
#[derive(Debug)]
pub(super) struct Shares {
    lanes: Vec<Lane>,
    /// How far the queues have come that have jobs waiting: one that had none meanwhile begins here.
    clock: u64,
    /// When a request was last called back for the sake of queues that are not known to have jobs.
    split_at: Option<Instant>,
}

/// What is known of a queue.
#[derive(Debug, Clone)]
struct Lane {
    weight: u64,
    /// What it had so far, for its weight.
    pass: u64,
    /// Jobs that waited when it last delivered; none when it last had nothing.
    waiting: u64,
    /// Slots that are with its request, and whether that one waits for jobs; none: nothing is asked for.
    asked: Option<Asked>,
    /// When it was asked last.
    asked_at: Option<Instant>,
    /// Not to be asked before this.
    not_before: Instant,
}

/// A request that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) slots: usize,
    pub(super) how: How,
}

/// How a queue is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// For what waits now.
    Now,
    /// For what comes within this time, too.
    Standing(Duration),
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Lanes to ask, for how many jobs, and how.
    pub(super) asks: Vec<(usize, Asked)>,
    /// Lanes whose request is to be called back, since its slots are needed elsewhere.
    pub(super) calls_back: Vec<usize>,
}

impl Lane {
    fn new(weight: u32, now: Instant) -> Self {
        let weight = u64::from(weight.max(1));
        Self { weight, pass: 0, waiting: 0, asked: None, asked_at: None, not_before: now }
    }

    fn may_be_asked(&self, now: Instant) -> bool {
        self.asked.is_none() && self.not_before <= now
    }

    /// Whether jobs are known to wait that can be had.
    fn is_hungry(&self, now: Instant) -> bool {
        self.waiting > 0 && self.not_before <= now
    }

    /// Jobs that wait beyond those that are asked for.
    fn unmet(&self, now: Instant) -> u64 {
        let asked = self.asked.map_or(0, |asked| asked.slots as u64);
        if self.is_hungry(now) { self.waiting.saturating_sub(asked) } else { 0 }
    }

    /// Slots of a request that waits for jobs, and how long it does.
    fn standing(&self) -> Option<(usize, Duration)> {
        match self.asked {
            Some(Asked { slots, how: How::Standing(time) }) => Some((slots, time)),
            _ => None,
        }
    }
}

impl Shares {
    /// Of queues with these weights.
    pub(super) fn new(weights: impl IntoIterator<Item = u32>, now: Instant) -> Self {
        let lanes = weights.into_iter().map(|weight| Lane::new(weight, now)).collect();
        Self { lanes, clock: 0, split_at: None }
    }

    /// A lane's request has ended: it brought so many jobs, and so many wait behind them.
    pub(super) fn ended(&mut self, at: usize, delivered: usize, waiting: u64) {
        let contended = self.lanes.iter().any(|lane| lane.waiting > 0);
        let lane = &mut self.lanes[at];
        if !contended {
            self.clock = self.clock.max(lane.pass);
        }
        if lane.waiting == 0 && waiting > 0 {
            // It does not catch up with what it never asked for.
            lane.pass = lane.pass.max(self.clock);
        }
        lane.asked = None;
        lane.pass += delivered as u64 * STRIDE / lane.weight;
        lane.waiting = waiting;
    }

    /// A lane is not to be asked before this.
    pub(super) fn rest(&mut self, at: usize, until: Instant) {
        self.lanes[at].not_before = until;
    }

    /// What is to be done with `free` slots.
    pub(super) fn plan(&mut self, free: usize, now: Instant) -> Plan {
        let mut plan = Plan::default();
        let grants = self.share(free, now);
        self.ask(&mut plan, &grants, How::Now, now);
        let left = free - grants.iter().sum::<usize>();
        // Who has a request under way, and jobs behind it, takes these within a round trip.
        let unmet: u64 = self.lanes.iter().map(|lane| lane.unmet(now)).sum();
        let spare = usize::try_from((left as u64).saturating_sub(unmet)).unwrap_or(left);
        if spare > 0 {
            let grants = self.spread(spare, now);
            let asked = |(lane, granted): (&Lane, &usize)| lane.asked.is_some() || *granted > 0;
            let everybody = self.lanes.iter().zip(&grants).all(asked);
            let time = if everybody { STANDS_FOR } else { self.turn() };
            self.ask(&mut plan, &grants, How::Standing(time), now);
        }
        let needed = unmet.saturating_sub(left as u64);
        plan.calls_back = if needed > 0 { self.call_back(needed) } else { self.split(now) };
        plan
    }

    /// Lanes whose request waits for jobs.
    pub(super) fn standing(&self) -> Vec<usize> {
        (0..self.lanes.len()).filter(|at| self.lanes[*at].standing().is_some()).collect()
    }

    /// When the plan may change by itself.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let turn = self.turn();
        let unasked = self.lanes.iter().filter(|lane| lane.asked.is_none());
        let at = |lane: &Lane| lane.asked_at.map_or(now, |at| at + turn).max(lane.not_before);
        let split = self.to_split(now).and_then(|_| self.next_split());
        unasked.map(at).chain(split).filter(|at| *at > now).min()
    }

    /// How long a queue's turn is where they take turns: together they stay within the bound.
    fn turn(&self) -> Duration {
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        (TURN * lanes).max(SHORTEST_TURN)
    }

    fn ask(&mut self, plan: &mut Plan, grants: &[usize], how: How, now: Instant) {
        for (at, slots) in grants.iter().copied().enumerate().filter(|(_, slots)| *slots > 0) {
            let asked = Asked { slots, how };
            self.lanes[at].asked = Some(asked);
            self.lanes[at].asked_at = Some(now);
            plan.asks.push((at, asked));
        }
    }

    /// Slots for the queues that have jobs waiting, one by one to whichever had least. One that nobody asked for a turn is
    /// tried with one slot among them.
    fn share(&mut self, free: usize, now: Instant) -> Vec<usize> {
        let mut grants = vec![0; self.lanes.len()];
        let hungry = self.lanes.iter().filter(|lane| lane.is_hungry(now));
        let Some(least) = hungry.map(|lane| lane.pass).min() else { return grants };
        self.clock = self.clock.max(least);
        let (lanes, turn) = (&self.lanes, self.turn());
        let wants = |lane: &Lane| match lane.waiting {
            _ if !lane.may_be_asked(now) => 0,
            0 => u64::from(lane.asked_at.is_none_or(|at| at + turn <= now)),
            waiting => waiting,
        };
        for _ in 0..free {
            let unfed = (0..lanes.len()).filter(|at| wants(&lanes[*at]) > grants[*at] as u64);
            let so_far = |at: &usize| lanes[*at].pass + grants[*at] as u64 * STRIDE / lanes[*at].weight;
            match unfed.min_by_key(so_far) {
                Some(at) => grants[at] += 1,
                None => break,
            }
        }
        grants
    }

    /// Slots for the queues that are not known to have any jobs: one each, in the order in which they were asked last, and the
    /// rest by weight.
    fn spread(&self, free: usize, now: Instant) -> Vec<usize> {
        let lanes = &self.lanes;
        let mut grants = vec![0; lanes.len()];
        let mut idle: Vec<usize> = (0..lanes.len()).filter(|at| lanes[*at].may_be_asked(now)).collect();
        idle.sort_by_key(|at| lanes[*at].asked_at);
        idle.truncate(free);
        let weights: u64 = idle.iter().map(|at| lanes[*at].weight).sum();
        let more = (free - idle.len()) as u64;
        for at in &idle {
            grants[*at] = 1 + usize::try_from(more * lanes[*at].weight / weights.max(1)).unwrap_or(0);
        }
        // What is lost by rounding goes to the first.
        if let Some(first) = idle.first() {
            grants[*first] += free - grants.iter().sum::<usize>();
        }
        grants
    }

    /// Standing requests, the largest first, as many as others need slots for.
    fn call_back(&self, mut needed: u64) -> Vec<usize> {
        let slots = |at: &usize| self.lanes[*at].standing().map(|(slots, _)| slots);
        let mut idle: Vec<usize> = (0..self.lanes.len()).filter(|at| slots(at).is_some()).collect();
        idle.sort_by_key(|at| std::cmp::Reverse(slots(at)));
        let mut called = Vec::new();
        for at in idle {
            if needed == 0 {
                break;
            }
            needed = needed.saturating_sub(slots(&at).unwrap_or(0) as u64);
            called.push(at);
        }
        called
    }

    /// The largest standing request, where a queue has none: nobody knows whether it has jobs. Its slots are shared anew.
    fn split(&mut self, now: Instant) -> Vec<usize> {
        if self.next_split().is_some_and(|at| at > now) {
            return Vec::new();
        }
        let called: Vec<_> = self.to_split(now).into_iter().collect();
        if !called.is_empty() {
            self.split_at = Some(now);
        }
        called
    }

    fn next_split(&self) -> Option<Instant> {
        self.split_at.map(|at| at + TURN)
    }

    /// One slot that stands for hardly more than a turn is not taken away: they take turns already.
    fn to_split(&self, now: Instant) -> Option<usize> {
        if !self.lanes.iter().any(|lane| lane.may_be_asked(now)) {
            return None;
        }
        let turn = self.turn();
        let large = |at: &usize| {
            self.lanes[*at]
                .standing()
                .filter(|(slots, time)| *slots > 1 || *time > 2 * turn)
                .map(|(slots, _)| slots)
        };
        (0..self.lanes.len()).filter(|at| large(at).is_some()).max_by_key(large)
    }
}

#[cfg(test)]
mod tests;
