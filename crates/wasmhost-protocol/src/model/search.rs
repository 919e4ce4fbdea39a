//! The search: breadth first over every state that a scenario reaches, with the invariants checked on each
//! write and each state. Then it checks I6: from every state an ending state is reached by steps that need
//! neither a fault nor somebody's wish.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::model::steps::{Cause, Model, Step};
use crate::model::world::World;

/// The violation where no ending state can be reached.
const STUCK: &str = "I6 no ending state can be reached";

/// A violation, with the steps of a shortest way to it.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) what: String,
    pub(super) trace: Vec<String>,
}

/// What an exploration of a scenario found.
#[derive(Debug)]
pub(super) struct Exploration {
    pub(super) states: usize,
    pub(super) steps: usize,
    /// Whether a message was delivered as often as the model counts.
    pub(super) capped: bool,
    pub(super) violations: Vec<Violation>,
}

impl Exploration {
    /// Describes each violation and the way to it.
    pub(super) fn describe(&self) -> String {
        let mut describe = String::new();
        for Violation { what, trace } in &self.violations {
            describe.push_str(&format!("violated: {what}\n"));
            for (number, step) in (1..).zip(trace) {
                describe.push_str(&format!("{number:>5}. {step}\n"));
            }
        }
        describe
    }
}

/// A violation and where it was found: in a state, or by a step from it.
struct Finding {
    what: String,
    at: usize,
    by_step: bool,
}

struct Search {
    model: Model,
    states: Vec<World>,
    parents: Vec<u32>,
    /// An open-addressed hash table of the states' numbers, which count from 1; 0 is a free place. The states
    /// themselves are in one list, and a map of them would hold each one twice.
    table: Vec<u32>,
    /// The steps of work, each with the numbers of the states from and to which it leads.
    work: Vec<(u32, u32)>,
    steps: usize,
    findings: Vec<Finding>,
}

/// Explores a scenario. With `wanted`, it ends with the first violation whose text begins so.
pub(super) fn explore(mut model: Model, wanted: Option<&str>) -> Exploration {
    let world = model.start();
    let mut search = Search {
        model,
        states: Vec::new(),
        parents: Vec::new(),
        table: vec![0; 1 << 16],
        work: Vec::new(),
        steps: 0,
        findings: Vec::new(),
    };
    search.insert(&world, 0);
    if !search.run(wanted) {
        search.find_stuck();
    }
    search.report()
}

impl Search {
    /// Searches until no state is new, or until the wanted violation is found; returns whether it was.
    fn run(&mut self, wanted: Option<&str>) -> bool {
        let max_events = self.model.scenario.max_events;
        let floor = self.states[0].budgets.total().saturating_sub(max_events);
        let mut at = 0;
        while at < self.states.len() {
            let world = self.states[at];
            for step in self.model.steps(&world) {
                if step.to.budgets.total() >= floor {
                    self.take(at, step);
                }
            }
            let ends = |findings: &Finding| wanted.is_some_and(|wanted| findings.what.starts_with(wanted));
            if self.findings.iter().any(ends) {
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
            self.work.push((to_u8(from), to_u8(to)));
        }
        if new {
            for what in self.model.check_state(&step.to) {
                self.note(Finding { what, at: to, by_step: false });
            }
        }
        for what in step.violations {
            self.note(Finding { what, at: from, by_step: true });
        }
    }

    fn note(&mut self, findings: Finding) {
        if self.findings.iter().all(|other| other.what != findings.what) {
            self.findings.push(findings);
        }
    }

    /// Returns the number of a state, and whether the state is new.
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
        self.parents.push(to_u8(parent));
        self.table[slot] = to_u8(self.states.len());
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
            self.table[slot] = to_u8(at + 1);
        }
    }

    /// Checks I6, backwards from the ending states.
    fn find_stuck(&mut self) {
        self.work.sort_unstable_by_key(|(from, to)| (*to, *from));
        let mut ends = vec![false; self.states.len()];
        let mut todo: Vec<u32> = Vec::new();
        for (at, _) in self.states.iter().enumerate().filter(|(_, world)| self.model.is_end(world)) {
            ends[at] = true;
            todo.push(to_u8(at));
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
            self.note(Finding { what: STUCK.to_owned(), at, by_step: false });
        }
    }

    fn report(mut self) -> Exploration {
        self.model.describe = true;
        let findings = std::mem::take(&mut self.findings);
        let violations = findings
            .into_iter()
            .map(|findings| Violation { trace: self.trace(&findings), what: findings.what })
            .collect();
        Exploration { states: self.states.len(), steps: self.steps, capped: self.model.capped, violations }
    }

    /// Returns the labels of the steps that lead to a finding. The steps are taken again for it: labels of
    /// all steps of a search would take too much time and memory.
    fn trace(&mut self, findings: &Finding) -> Vec<String> {
        let mut way = vec![findings.at];
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
        if findings.by_step {
            let from = self.states[findings.at];
            let breaks = |step: &Step| step.violations.contains(&findings.what);
            labels.extend(self.model.steps(&from).into_iter().find(breaks).map(|step| step.label));
        }
        labels
    }
}

fn to_u8(number: usize) -> u32 {
    u32::try_from(number).expect("fewer states than numbers")
}

#[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
fn hash(world: &World) -> usize {
    let mut hasher = FxHasher::default();
    world.hash(&mut hasher);
    hasher.finish() as usize
}
