//! Breadth first over every state that a scenario reaches; then I6: from every one an ending state is reached by steps
//! that need neither a fault nor a wish.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::model::steps::{Cause, Model, Step};
use crate::model::world::World;

/// What is violated where no ending state can be reached.
const STUCK: &str = "I6 no ending state can be reached";

/// A violation, with a shortest way to it.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) what: String,
    pub(super) trace: Vec<String>,
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) states: usize,
    pub(super) steps: usize,
    /// Whether a message was delivered as often as the model counts.
    pub(super) capped: bool,
    pub(super) violations: Vec<Violation>,
}

impl Found {
    /// What is broken, each with the way to it.
    pub(super) fn told(&self) -> String {
        let mut told = String::new();
        for Violation { what, trace } in &self.violations {
            told.push_str(&format!("violated: {what}\n"));
            for (number, step) in (1..).zip(trace) {
                told.push_str(&format!("{number:>5}. {step}\n"));
            }
        }
        told
    }
}

/// Where a violation was seen: at a state, or on the step from it that breaks it.
struct Seen {
    what: String,
    at: usize,
    by_step: bool,
}

struct Search {
    model: Model,
    states: Vec<World>,
    parents: Vec<u32>,
    /// States by hash: 0 or a number from 1.
    table: Vec<u32>,
    /// Steps of work, from and to.
    work: Vec<(u32, u32)>,
    steps: usize,
    seen: Vec<Seen>,
}

/// Explores a scenario. `wanted`: it ends with the first violation that begins so.
pub(super) fn explore(mut model: Model, wanted: Option<&str>) -> Found {
    let world = model.start();
    let mut search = Search {
        model,
        states: Vec::new(),
        parents: Vec::new(),
        table: vec![0; 1 << 16],
        work: Vec::new(),
        steps: 0,
        seen: Vec::new(),
    };
    search.insert(&world, 0);
    if !search.run(wanted) {
        search.find_stuck();
    }
    search.report()
}

impl Search {
    /// Until nothing is new; true: until the violation that was wanted.
    fn run(&mut self, wanted: Option<&str>) -> bool {
        let at_most = self.model.scenario.at_most;
        let floor = self.states[0].left.total().saturating_sub(at_most);
        let mut at = 0;
        while at < self.states.len() {
            let world = self.states[at];
            for step in self.model.steps(&world) {
                if step.to.left.total() >= floor {
                    self.take(at, step);
                }
            }
            let ends = |seen: &Seen| wanted.is_some_and(|wanted| seen.what.starts_with(wanted));
            if self.seen.iter().any(ends) {
                return true;
            }
            at += 1;
        }
        false
    }

    fn take(&mut self, from: usize, step: Step) {
        self.steps += 1;
        let (to, new) = self.insert(&step.to, from);
        if step.cause == Cause::Work {
            self.work.push((small(from), small(to)));
        }
        if new {
            for what in self.model.check_state(&step.to) {
                self.note(Seen { what, at: to, by_step: false });
            }
        }
        for what in step.hits {
            self.note(Seen { what, at: from, by_step: true });
        }
    }

    fn note(&mut self, seen: Seen) {
        if self.seen.iter().all(|other| other.what != seen.what) {
            self.seen.push(seen);
        }
    }

    /// The state's number, and whether it is new.
    fn insert(&mut self, world: &World, parent: usize) -> (usize, bool) {
        if (self.states.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut slot = hash(world) & mask;
        while self.table[slot] != 0 {
            let at = self.table[slot] as usize - 1;
            if self.states[at] == *world {
                return (at, false);
            }
            slot = (slot + 1) & mask;
        }
        self.states.push(*world);
        self.parents.push(small(parent));
        self.table[slot] = small(self.states.len());
        (self.states.len() - 1, true)
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len() * 2];
        let mask = self.table.len() - 1;
        for (at, world) in self.states.iter().enumerate() {
            let mut slot = hash(world) & mask;
            while self.table[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = small(at + 1);
        }
    }

    /// I6, backwards from the ending states.
    fn find_stuck(&mut self) {
        self.work.sort_unstable_by_key(|(from, to)| (*to, *from));
        let mut ends = vec![false; self.states.len()];
        let mut todo: Vec<u32> = Vec::new();
        for (at, _) in self.states.iter().enumerate().filter(|(_, world)| self.model.is_end(world)) {
            ends[at] = true;
            todo.push(small(at));
        }
        while let Some(to) = todo.pop() {
            let first = self.work.partition_point(|step| step.1 < to);
            for (from, _) in self.work[first..].iter().take_while(|step| step.1 == to) {
                if !std::mem::replace(&mut ends[*from as usize], true) {
                    todo.push(*from);
                }
            }
        }
        if let Some(at) = ends.iter().position(|ends| !ends) {
            self.note(Seen { what: STUCK.to_owned(), at, by_step: false });
        }
    }

    fn report(mut self) -> Found {
        self.model.describe = true;
        let seen = std::mem::take(&mut self.seen);
        let violations =
            seen.into_iter().map(|seen| Violation { trace: self.trace(&seen), what: seen.what }).collect();
        Found { states: self.states.len(), steps: self.steps, capped: self.model.capped, violations }
    }

    /// The labels on the way there: each step is taken again, and described.
    fn trace(&mut self, seen: &Seen) -> Vec<String> {
        let mut way = vec![seen.at];
        while let Some(at) = way.last().copied().filter(|at| *at != 0) {
            way.push(self.parents[at] as usize);
        }
        way.reverse();
        let mut labels = Vec::new();
        for pair in way.windows(2) {
            let from = self.states[pair[0]];
            let to = self.states[pair[1]];
            let step = self.model.steps(&from).into_iter().find(|step| step.to == to);
            labels.push(step.map_or_else(|| "?".to_owned(), |step| step.label));
        }
        if seen.by_step {
            let from = self.states[seen.at];
            let breaks = |step: &Step| step.hits.contains(&seen.what);
            labels.extend(self.model.steps(&from).into_iter().find(breaks).map(|step| step.label));
        }
        labels
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("fewer states than numbers")
}

#[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
fn hash(world: &World) -> usize {
    let mut hasher = FxHasher::default();
    world.hash(&mut hasher);
    hasher.finish() as usize
}
