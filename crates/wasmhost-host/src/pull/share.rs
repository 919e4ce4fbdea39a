//! Which queues get the free slots. Everything here is pure: given the free slots and what is known of each queue, a plan says
//! which requests to send and which to call back.
//!
//! Weights decide only between queues that have jobs waiting, by stride scheduling: the queue that had least for its weight
//! comes first. The slots that are left wait at queues that are not known to have jobs, and are called back from there when
//! another queue needs them. No slot is promised twice: nothing is asked for without one.

use std::time::Duration;

use tokio::time::Instant;

/// How long a request waits at the server while every queue has one.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The shortest time for which a request waits while there are more queues than slots and the queues take turns.
const MIN_TURN: Duration = Duration::from_millis(200);
/// How often a whole host asks whether one more queue has jobs. It bounds what idle queues cost the server.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// By how much one delivery advances the pass of a queue of weight 1.
const STRIDE: u64 = 1 << 20;

/// What is known of the queues of a host. A queue is named by its index.
#[derive(Debug)]
pub(super) struct Shares {
    queues: Vec<QueueShare>,
    /// The pass that the queues with jobs waiting have reached. A queue that had none meanwhile begins here.
    virtual_time: u64,
    /// When a request was last called back for queues that are not known to have jobs.
    rebalanced_at: Option<Instant>,
}

/// What is known of one queue.
#[derive(Debug, Clone)]
struct QueueShare {
    weight: u64,
    /// How much it had so far, for its weight.
    pass: u64,
    /// How many jobs waited when it last delivered; 0 when it last had none.
    pending: u64,
    /// The request that is under way.
    request: Option<RequestPlan>,
    requested_at: Option<Instant>,
    /// No request is sent before this time.
    not_before: Instant,
}

/// A request to send, or one that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestPlan {
    /// How many deliveries it asks for.
    pub(super) slots: usize,
    pub(super) mode: PullMode,
}

/// Whether a request waits for jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PullMode {
    /// It takes what waits now.
    NoWait,
    /// It also takes what comes within this time.
    Wait(Duration),
}

/// What to do with the free slots.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The requests to send, each with the index of its queue.
    pub(super) requests: Vec<(usize, RequestPlan)>,
    /// The queues whose request is called back, because its slots are needed elsewhere.
    pub(super) call_back: Vec<usize>,
}

impl QueueShare {
    fn new(weight: u32, now: Instant) -> Self {
        let weight = u64::from(weight.max(1));
        Self { weight, pass: 0, pending: 0, request: None, requested_at: None, not_before: now }
    }

    fn can_request(&self, now: Instant) -> bool {
        self.request.is_none() && self.not_before <= now
    }

    /// Returns whether jobs are known to wait that can be asked for.
    fn has_pending(&self, now: Instant) -> bool {
        self.pending > 0 && self.not_before <= now
    }

    /// Returns how many jobs wait beyond those that are asked for.
    fn unmet(&self, now: Instant) -> u64 {
        let requested = self.request.map_or(0, |request| request.slots as u64);
        if self.has_pending(now) { self.pending.saturating_sub(requested) } else { 0 }
    }

    /// Returns the slots of a request that waits at the server, and for how long it does.
    fn waiting_request(&self) -> Option<(usize, Duration)> {
        self.request.and_then(|request| match request.mode {
            PullMode::NoWait => None,
            PullMode::Wait(time) => Some((request.slots, time)),
        })
    }

    /// Returns how many more deliveries the queue takes. One that was not asked for a whole turn is tried with one slot: it may
    /// have got jobs since.
    fn wants(&self, now: Instant, turn: Duration) -> u64 {
        if !self.can_request(now) {
            return 0;
        }
        match self.pending {
            0 => u64::from(self.requested_at.is_none_or(|at| at + turn <= now)),
            pending => pending,
        }
    }
}

impl Shares {
    /// Creates the shares of queues with these weights.
    pub(super) fn new(weights: impl IntoIterator<Item = u32>, now: Instant) -> Self {
        let queues = weights.into_iter().map(|weight| QueueShare::new(weight, now)).collect();
        Self { queues, virtual_time: 0, rebalanced_at: None }
    }

    /// Takes note that a queue's request has ended: it brought so many deliveries, and so many jobs wait behind them.
    pub(super) fn request_ended(&mut self, index: usize, delivered: usize, pending: u64) {
        let contended = self.queues.iter().any(|queue| queue.pending > 0);
        let queue = &mut self.queues[index];
        if !contended {
            // What a queue had while no other wanted it is not held against it.
            self.virtual_time = self.virtual_time.max(queue.pass);
        }
        if queue.pending == 0 && pending > 0 {
            // It does not catch up with what it never asked for.
            queue.pass = queue.pass.max(self.virtual_time);
        }
        queue.request = None;
        queue.pass += delivered as u64 * STRIDE / queue.weight;
        queue.pending = pending;
    }

    /// Sends no request to a queue before this time.
    pub(super) fn pause(&mut self, index: usize, until: Instant) {
        self.queues[index].not_before = until;
    }

    /// Plans what to do with `free` slots, and assumes that it is done.
    pub(super) fn plan(&mut self, free: usize, now: Instant) -> Plan {
        let mut plan = Plan::default();
        let grants = self.share_by_weight(free, now);
        self.request(&mut plan, &grants, PullMode::NoWait, now);
        let left = free - grants.iter().sum::<usize>();
        // A queue with a request under way and jobs behind it takes these slots within a round trip.
        let unmet: u64 = self.queues.iter().map(|queue| queue.unmet(now)).sum();
        let spare = usize::try_from((left as u64).saturating_sub(unmet)).unwrap_or(left);
        if spare > 0 {
            let grants = self.spread(spare, now);
            let has_request =
                |(queue, granted): (&QueueShare, &usize)| queue.request.is_some() || *granted > 0;
            let all_have_one = self.queues.iter().zip(&grants).all(has_request);
            let time = if all_have_one { MAX_WAIT } else { self.turn() };
            self.request(&mut plan, &grants, PullMode::Wait(time), now);
        }
        let needed = unmet.saturating_sub(left as u64);
        plan.call_back = if needed > 0 { self.call_back(needed) } else { self.rebalance(now) };
        plan
    }

    /// Returns the queues whose request waits at the server.
    pub(super) fn waiting_requests(&self) -> Vec<usize> {
        (0..self.queues.len()).filter(|index| self.queues[*index].waiting_request().is_some()).collect()
    }

    /// Returns when the plan may change although no request ends and no slot is freed.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let turn = self.turn();
        let idle = self.queues.iter().filter(|queue| queue.request.is_none());
        let due_at =
            |queue: &QueueShare| queue.requested_at.map_or(now, |at| at + turn).max(queue.not_before);
        let rebalance = self.to_rebalance(now).and_then(|_| self.next_rebalance());
        idle.map(due_at).chain(rebalance).filter(|at| *at > now).min()
    }

    /// Returns how long a queue's turn is while the queues take turns: together they stay within the bound of probes.
    fn turn(&self) -> Duration {
        let queues = u32::try_from(self.queues.len()).unwrap_or(u32::MAX);
        (PROBE_INTERVAL * queues).max(MIN_TURN)
    }

    fn request(&mut self, plan: &mut Plan, grants: &[usize], mode: PullMode, now: Instant) {
        for (index, slots) in grants.iter().copied().enumerate().filter(|(_, slots)| *slots > 0) {
            let request = RequestPlan { slots, mode };
            self.queues[index].request = Some(request);
            self.queues[index].requested_at = Some(now);
            plan.requests.push((index, request));
        }
    }

    /// Grants slots to the queues that have jobs waiting, one by one to the queue that had least for its weight.
    fn share_by_weight(&mut self, free: usize, now: Instant) -> Vec<usize> {
        let mut grants = vec![0; self.queues.len()];
        let pending = self.queues.iter().filter(|queue| queue.has_pending(now));
        let Some(least) = pending.map(|queue| queue.pass).min() else { return grants };
        self.virtual_time = self.virtual_time.max(least);
        let turn = self.turn();
        let queues = &self.queues;
        for _ in 0..free {
            let unmet =
                (0..queues.len()).filter(|index| queues[*index].wants(now, turn) > grants[*index] as u64);
            let pass =
                |index: &usize| queues[*index].pass + grants[*index] as u64 * STRIDE / queues[*index].weight;
            match unmet.min_by_key(pass) {
                Some(index) => grants[index] += 1,
                None => break,
            }
        }
        grants
    }

    /// Grants slots to the queues that are not known to have jobs: one each, in the order in which they were asked last, and the
    /// rest by weight.
    fn spread(&self, free: usize, now: Instant) -> Vec<usize> {
        let queues = &self.queues;
        let mut grants = vec![0; queues.len()];
        let mut idle: Vec<usize> =
            (0..queues.len()).filter(|index| queues[*index].can_request(now)).collect();
        idle.sort_by_key(|index| queues[*index].requested_at);
        idle.truncate(free);
        let weights: u64 = idle.iter().map(|index| queues[*index].weight).sum();
        let more = (free - idle.len()) as u64;
        for index in &idle {
            let share = more * queues[*index].weight / weights.max(1);
            grants[*index] = 1 + usize::try_from(share).unwrap_or(0);
        }
        // What is lost by rounding goes to the first.
        if let Some(first) = idle.first() {
            grants[*first] += free - grants.iter().sum::<usize>();
        }
        grants
    }

    /// Calls back as many waiting requests as other queues need slots, the largest first.
    fn call_back(&self, mut needed: u64) -> Vec<usize> {
        let slots = |index: &usize| self.queues[*index].waiting_request().map(|(slots, _)| slots);
        let mut waiting = self.waiting_requests();
        waiting.sort_by_key(|index| std::cmp::Reverse(slots(index)));
        let mut called_back = Vec::new();
        for index in waiting {
            if needed == 0 {
                break;
            }
            needed = needed.saturating_sub(slots(&index).unwrap_or(0) as u64);
            called_back.push(index);
        }
        called_back
    }

    /// Calls back the largest waiting request where another queue has none, so that its slots are spread anew: nobody knows
    /// whether the other queue has jobs.
    fn rebalance(&mut self, now: Instant) -> Vec<usize> {
        if self.next_rebalance().is_some_and(|at| at > now) {
            return Vec::new();
        }
        let called_back: Vec<_> = self.to_rebalance(now).into_iter().collect();
        if !called_back.is_empty() {
            self.rebalanced_at = Some(now);
        }
        called_back
    }

    fn next_rebalance(&self) -> Option<Instant> {
        self.rebalanced_at.map(|at| at + PROBE_INTERVAL)
    }

    /// Returns the queue whose request is called back to rebalance. A single slot that waits for hardly more than a turn is left:
    /// the queues take turns already.
    fn to_rebalance(&self, now: Instant) -> Option<usize> {
        if !self.queues.iter().any(|queue| queue.can_request(now)) {
            return None;
        }
        let turn = self.turn();
        let large = |index: &usize| {
            self.queues[*index]
                .waiting_request()
                .filter(|(slots, time)| *slots > 1 || *time > 2 * turn)
                .map(|(slots, _)| slots)
        };
        (0..self.queues.len()).filter(|index| large(index).is_some()).max_by_key(large)
    }
}

#[cfg(test)]
mod tests;
