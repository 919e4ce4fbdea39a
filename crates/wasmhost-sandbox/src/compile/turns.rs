//! Whose turn it is to compile. One version of a module at a time, and modules in turn: whoever pushes a hundred versions
//! of one delays nobody but themselves.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wasmhost_protocol::ids::ModuleName;

/// The turns of one host.
#[derive(Debug)]
pub(super) struct CompileQueue(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Modules of which a version has a turn.
    running: HashSet<ModuleName>,
    /// Modules of which versions wait, the one that waited longest since its last turn first.
    waiting: VecDeque<Line>,
}

/// The versions of one module that wait, in the order in which they came.
#[derive(Debug)]
struct Line {
    module: ModuleName,
    versions: VecDeque<oneshot::Sender<CompilePermit>>,
}

/// A turn, until dropped.
#[derive(Debug)]
pub(crate) struct CompilePermit {
    turns: Arc<CompileQueue>,
    module: ModuleName,
}

impl CompileQueue {
    pub(super) fn new(at_once: usize) -> Arc<Self> {
        let state = State { free: at_once, running: HashSet::new(), waiting: VecDeque::new() };
        Arc::new(Self(Mutex::new(state)))
    }

    /// Waits for a turn of this module. Whoever stops waiting gives its place up.
    pub(super) async fn take(self: &Arc<Self>, module: &ModuleName) -> CompilePermit {
        let (grant, granted) = oneshot::channel();
        self.lock().line_up(module, grant);
        self.grant();
        granted.await.expect("a place in the line is kept until it has a turn")
    }

    /// Gives free turns to those who wait. One that nobody takes any more comes back by its drop.
    fn grant(self: &Arc<Self>) {
        loop {
            let Some((module, grant)) = self.lock().next() else { return };
            drop(grant.send(CompilePermit { turns: self.clone(), module }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn line_up(&mut self, module: &ModuleName, grant: oneshot::Sender<CompilePermit>) {
        match self.waiting.iter_mut().find(|line| line.module == *module) {
            Some(line) => {
                line.versions.retain(|version| !version.is_closed());
                line.versions.push_back(grant);
            }
            None => {
                let versions = VecDeque::from([grant]);
                self.waiting.push_back(Line { module: module.clone(), versions });
            }
        }
    }

    /// Whoever is next, where there is a turn; counted as running.
    fn next(&mut self) -> Option<(ModuleName, oneshot::Sender<CompilePermit>)> {
        if self.free == 0 {
            return None;
        }
        let at = self.waiting.iter().position(|line| !self.running.contains(&line.module))?;
        let Line { module, mut versions } = self.waiting.remove(at)?;
        let grant = versions.pop_front()?;
        if !versions.is_empty() {
            self.waiting.push_back(Line { module: module.clone(), versions });
        }
        self.free -= 1;
        self.running.insert(module.clone());
        Some((module, grant))
    }
}

impl Drop for CompilePermit {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.free += 1;
        state.running.remove(&self.module);
        drop(state);
        self.turns.grant();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    fn name(name: &str) -> ModuleName {
        ModuleName::parse(name).unwrap()
    }

    /// Somebody who waits, and has a place in the line.
    fn wait(turns: &Arc<CompileQueue>, module: &'static str) -> BoxFuture<'static, CompilePermit> {
        let (turns, module) = (turns.clone(), name(module));
        let mut waiting = async move { turns.take(&module).await }.boxed();
        assert!((&mut waiting).now_or_never().is_none(), "it has to wait");
        waiting
    }

    #[test]
    fn many_versions_of_one_module_leave_a_turn_to_another() {
        let turns = CompileQueue::new(2);
        let first = turns.take(&name("many")).now_or_never().unwrap();
        let mut rest: Vec<_> = (0..100).map(|_| wait(&turns, "many")).collect();
        let other = turns.take(&name("other")).now_or_never().unwrap();
        drop(other);
        assert!(rest.iter_mut().all(|waiting| waiting.now_or_never().is_none()), "one of a module at a time");
        drop(first);
        assert!((&mut rest[0]).now_or_never().is_some(), "in the order in which they came");
    }

    #[test]
    fn modules_take_turns() {
        let turns = CompileQueue::new(1);
        let running = turns.take(&name("a")).now_or_never().unwrap();
        let [mut a1, mut a2, mut b, mut c] = ["a", "a", "b", "c"].map(|module| wait(&turns, module));
        drop(running);
        let running = (&mut a1).now_or_never().expect("it waited first");
        drop(running);
        let running = (&mut b).now_or_never().expect("the others come before a second one of `a`");
        drop(running);
        let running = (&mut c).now_or_never().unwrap();
        drop(running);
        assert!((&mut a2).now_or_never().is_some());
    }

    #[test]
    fn whoever_stops_waiting_takes_no_turn_along() {
        let turns = CompileQueue::new(1);
        let running = turns.take(&name("a")).now_or_never().unwrap();
        drop(wait(&turns, "a"));
        let granted = wait(&turns, "b");
        let mut last = wait(&turns, "c");
        drop(running);
        // This one has its turn, and is gone before it sees it.
        drop(granted);
        assert!((&mut last).now_or_never().is_some());
        assert!(turns.take(&name("a")).now_or_never().is_some());
    }
}
