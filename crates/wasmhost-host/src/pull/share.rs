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
/// Requests a second of one host that find out whether a queue has jobs: a bound on what idle queues cost the server.
const TURNS_PER_SECOND: u32 = 20;
/// What one delivery costs a queue of weight 1.
const STRIDE: u64 = 1 << 20;

/// What is known of a queue.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    weight: u64,
    /// What it had so far, for its weight.
    pass: u64,
    /// Jobs that waited when it last delivered; none when it last had nothing.
    pub(super) waiting: u64,
    /// Slots that are with its request, and whether that one waits for jobs; none: nothing is asked for.
    pub(super) asked: Option<Asked>,
    /// When it was asked last.
    asked_at: Option<Instant>,
    /// Not to be asked before this.
    pub(super) not_before: Instant,
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
    pub(super) fn new(weight: u32, now: Instant) -> Self {
        let weight = u64::from(weight.max(1));
        Self { weight, pass: 0, waiting: 0, asked: None, asked_at: None, not_before: now }
    }

    /// Its request has ended, and brought so many jobs.
    pub(super) fn ended(&mut self, delivered: usize) {
        self.asked = None;
        self.pass += delivered as u64 * STRIDE / self.weight;
    }

    fn may_be_asked(&self, now: Instant) -> bool {
        self.asked.is_none() && self.not_before <= now
    }

    /// Jobs that wait beyond those that are asked for.
    fn unmet(&self) -> u64 {
        self.waiting.saturating_sub(self.asked.map_or(0, |asked| asked.slots as u64))
    }
}

/// What is to be done with `free` slots.
pub(super) fn plan(lanes: &mut [Lane], free: usize, now: Instant) -> Plan {
    let turn = turn(lanes);
    let mut grants = share(lanes, free, now, turn);
    let left = free - grants.iter().sum::<usize>();
    let mut plan = Plan::default();
    for (at, granted) in grants.iter().enumerate().filter(|(_, granted)| **granted > 0) {
        plan.asks.push((at, Asked { slots: *granted, how: How::Now }));
    }
    note(lanes, &plan.asks, now);
    if left == 0 {
        plan.calls_back = call_back(lanes);
        return plan;
    }
    grants = spread(lanes, left, now);
    let everybody = lanes.iter().zip(&grants).all(|(lane, granted)| lane.asked.is_some() || *granted > 0);
    let stands_for = if everybody { STANDS_FOR } else { turn };
    let standing = grants.iter().enumerate().filter(|(_, granted)| **granted > 0);
    let standing: Vec<_> =
        standing.map(|(at, slots)| (at, Asked { slots: *slots, how: How::Standing(stands_for) })).collect();
    note(lanes, &standing, now);
    plan.asks.extend(standing);
    plan
}

/// When the plan may change by itself.
pub(super) fn wakes_at(lanes: &[Lane], now: Instant) -> Option<Instant> {
    let turn = turn(lanes);
    let idle = lanes.iter().filter(|lane| lane.asked.is_none());
    let at = |lane: &Lane| lane.asked_at.map_or(now, |at| at + turn).max(lane.not_before);
    idle.map(at).filter(|at| *at > now).min()
}

/// How long a queue's turn is where they take turns: together they stay within the bound.
fn turn(lanes: &[Lane]) -> Duration {
    let lanes = u32::try_from(lanes.len()).unwrap_or(u32::MAX);
    (Duration::from_secs(1) / TURNS_PER_SECOND * lanes).max(SHORTEST_TURN)
}

fn note(lanes: &mut [Lane], asks: &[(usize, Asked)], now: Instant) {
    for (at, asked) in asks {
        lanes[*at].asked = Some(*asked);
        lanes[*at].asked_at = Some(now);
    }
}

/// Slots for the queues that have jobs waiting, one by one to whichever had least. One that nobody knows of for a turn is tried
/// with one slot among them.
fn share(lanes: &mut [Lane], free: usize, now: Instant, turn: Duration) -> Vec<usize> {
    let mut grants = vec![0; lanes.len()];
    if !lanes.iter().any(|lane| lane.may_be_asked(now) && lane.waiting > 0) {
        return grants;
    }
    let due = |lane: &Lane| lane.asked_at.is_none_or(|at| at + turn <= now);
    // One that is idle does not catch up with what it never asked for; once it is to be tried it keeps its place.
    let floor = lanes.iter().filter(|lane| lane.waiting > 0).map(|lane| lane.pass).min().unwrap_or(0);
    for lane in lanes.iter_mut().filter(|lane| lane.waiting == 0 && !due(lane)) {
        lane.pass = lane.pass.max(floor);
    }
    let wants = |lane: &Lane| {
        let wanted = if lane.waiting == 0 { u64::from(due(lane)) } else { lane.waiting };
        if lane.may_be_asked(now) { wanted } else { 0 }
    };
    for _ in 0..free {
        let hungry = (0..lanes.len()).filter(|at| wants(&lanes[*at]) > grants[*at] as u64);
        let so_far = |at: &usize| lanes[*at].pass + grants[*at] as u64 * STRIDE / lanes[*at].weight;
        match hungry.min_by_key(so_far) {
            Some(at) => grants[at] += 1,
            None => break,
        }
    }
    grants
}

/// Slots for the queues that are not known to have any jobs: one each, in the order in which they were asked last, and the rest
/// by weight.
fn spread(lanes: &[Lane], free: usize, now: Instant) -> Vec<usize> {
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
fn call_back(lanes: &[Lane]) -> Vec<usize> {
    let mut needed: u64 = lanes.iter().map(Lane::unmet).sum();
    let standing = |at: &usize| match lanes[*at].asked {
        Some(Asked { slots, how: How::Standing(_) }) if lanes[*at].waiting == 0 => Some(slots),
        _ => None,
    };
    let mut idle: Vec<usize> = (0..lanes.len()).filter(|at| standing(at).is_some()).collect();
    idle.sort_by_key(|at| std::cmp::Reverse(standing(at)));
    let mut called = Vec::new();
    for at in idle {
        if needed == 0 {
            break;
        }
        needed = needed.saturating_sub(standing(&at).unwrap_or(0) as u64);
        called.push(at);
    }
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(weights: &[u32]) -> (Vec<Lane>, Instant) {
        let now = Instant::now();
        (weights.iter().map(|weight| Lane::new(*weight, now)).collect(), now)
    }

    fn slots(plan: &Plan) -> Vec<(usize, usize)> {
        plan.asks.iter().map(|(at, asked)| (*at, asked.slots)).collect()
    }

    #[test]
    fn what_is_free_waits_at_idle_queues_by_their_weight() {
        let (mut lanes, now) = lanes(&[3, 1]);
        let plan = plan(&mut lanes, 4, now);
        assert_eq!(slots(&plan), [(0, 3), (1, 1)]);
        assert!(plan.asks.iter().all(|(_, asked)| asked.how == How::Standing(STANDS_FOR)));
    }

    #[test]
    fn a_busy_queue_gets_what_idle_ones_hold() {
        let (mut lanes, now) = lanes(&[3, 1]);
        plan(&mut lanes, 4, now);
        // It delivered its one, and three wait behind it.
        lanes[1].ended(1);
        lanes[1].waiting = 3;
        assert_eq!(plan(&mut lanes, 0, now), Plan { asks: vec![], calls_back: vec![0] });
        lanes[0].ended(0);
        let next = plan(&mut lanes, 3, now);
        assert_eq!(slots(&next), [(1, 3)]);
        assert_eq!(next.asks[0].1.how, How::Now);
    }

    #[test]
    fn never_is_more_asked_for_than_is_free() {
        for free in 0..40 {
            let (mut lanes, now) = lanes(&[5, 1, 2, 7, 1, 1, 3]);
            for (at, lane) in lanes.iter_mut().enumerate() {
                lane.waiting = (at as u64 % 3) * 4;
            }
            let asked: usize = slots(&plan(&mut lanes, free, now)).iter().map(|(_, slots)| slots).sum();
            // 24 jobs wait, and three queues are tried.
            assert_eq!(asked, free.min(27), "all that are of use, and not one more");
        }
    }

    #[test]
    fn weights_decide_between_queues_that_have_jobs() {
        let (mut lanes, mut now) = lanes(&[4, 1]);
        let mut had = [0; 2];
        for _ in 0..500 {
            now += Duration::from_millis(1);
            lanes.iter_mut().for_each(|lane| lane.waiting = 1000);
            for (at, asked) in plan(&mut lanes, 2, now).asks {
                had[at] += asked.slots;
                lanes[at].ended(asked.slots);
            }
        }
        assert_eq!(had, [800, 200]);
        // The one that was idle meanwhile has its share from now on, and no more.
        lanes[1].waiting = 0;
        for _ in 0..100 {
            now += Duration::from_millis(1);
            lanes[0].waiting = 1000;
            for (at, asked) in plan(&mut lanes, 1, now).asks {
                lanes[at].ended(if at == 0 { asked.slots } else { 0 });
            }
        }
        let mut had = [0; 2];
        for _ in 0..500 {
            lanes.iter_mut().for_each(|lane| lane.waiting = 1000);
            for (at, asked) in plan(&mut lanes, 1, now).asks {
                had[at] += asked.slots;
                lanes[at].ended(asked.slots);
            }
        }
        assert!((395..=405).contains(&had[0]), "{had:?}");
    }

    #[test]
    fn more_queues_than_slots_take_turns() {
        let (mut lanes, mut now) = lanes(&[1, 1, 1]);
        let mut order = Vec::new();
        for _ in 0..6 {
            let plan = plan(&mut lanes, 1, now);
            assert_eq!(plan.asks[0].1.how, How::Standing(SHORTEST_TURN));
            order.push(plan.asks[0].0);
            now += SHORTEST_TURN;
            lanes[plan.asks[0].0].ended(0);
        }
        assert_eq!(order, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_queue_that_nobody_asks_is_tried_once_a_turn() {
        let (mut lanes, start) = lanes(&[1, 1]);
        let (mut now, mut tried) = (start, 0);
        while now < start + Duration::from_secs(10) {
            lanes[0].waiting = 1000;
            for (at, asked) in plan(&mut lanes, 1, now).asks {
                tried += usize::from(at == 1);
                lanes[at].ended(if at == 0 { asked.slots } else { 0 });
            }
            now += Duration::from_millis(10);
        }
        assert!((45..=51).contains(&tried), "tried {tried} times");
    }

    #[test]
    fn a_queue_that_refused_is_left_alone_for_a_while() {
        let (mut lanes, now) = lanes(&[1]);
        lanes[0].not_before = now + Duration::from_secs(1);
        assert_eq!(plan(&mut lanes, 3, now), Plan::default());
        assert_eq!(wakes_at(&lanes, now), Some(now + Duration::from_secs(1)));
    }
}
