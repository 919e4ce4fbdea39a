//! The order in which modules are compiled: one version of a module at a time, and modules in turn, so that whoever
//! pushes a hundred versions of one module delays nobody else.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wasmhost_protocol::ids::ModuleName;

/// The queue of one host.
#[derive(Debug)]
pub(super) struct CompileQueue(Mutex<State>);

#[derive(Debug)]
struct State {
    free_permits: usize,
    /// Modules of which a version is being compiled.
    compiling: HashSet<ModuleName>,
    /// Modules of which versions wait. The first one has waited longest since it was last compiled.
    waiting: VecDeque<WaitingModule>,
}

/// The versions of one module that wait, in the order in which they came.
#[derive(Debug)]
struct WaitingModule {
    module: ModuleName,
    versions: VecDeque<oneshot::Sender<CompilePermit>>,
}

/// The permit to compile one version of a module; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct CompilePermit {
    queue: Arc<CompileQueue>,
    module: ModuleName,
}

impl CompileQueue {
    pub(super) fn new(permits: usize) -> Arc<Self> {
        let state = State { free_permits: permits, compiling: HashSet::new(), waiting: VecDeque::new() };
        Arc::new(Self(Mutex::new(state)))
    }

    /// Waits for a permit for this module. Dropping the future gives up the place in the queue.
    pub(super) async fn acquire(self: &Arc<Self>, module: &ModuleName) -> CompilePermit {
        let (grant, granted) = oneshot::channel();
        self.lock().enqueue(module, grant);
        self.grant();
        granted.await.expect("a place in the queue is kept until it is granted a permit")
    }

    /// Gives free permits to those who wait.
    fn grant(self: &Arc<Self>) {
        loop {
            // The lock is released before the permit is sent: one that nobody receives is dropped here, which locks
            // again.
            let Some((module, grant)) = self.lock().next() else { return };
            drop(grant.send(CompilePermit { queue: self.clone(), module }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enqueue(&mut self, module: &ModuleName, grant: oneshot::Sender<CompilePermit>) {
        match self.waiting.iter_mut().find(|waiting| waiting.module == *module) {
            Some(waiting) => {
                // Jobs that give up and come back would otherwise fill the queue.
                waiting.versions.retain(|version| !version.is_closed());
                waiting.versions.push_back(grant);
            }
            None => {
                let versions = VecDeque::from([grant]);
                self.waiting.push_back(WaitingModule { module: module.clone(), versions });
            }
        }
    }

    /// Takes the version that is next from the queue and counts it as being compiled; none where nothing may begin.
    fn next(&mut self) -> Option<(ModuleName, oneshot::Sender<CompilePermit>)> {
        if self.free_permits == 0 {
            return None;
        }
        let index = self.waiting.iter().position(|waiting| !self.compiling.contains(&waiting.module))?;
        let WaitingModule { module, mut versions } = self.waiting.remove(index)?;
        let grant = versions.pop_front()?;
        if !versions.is_empty() {
            // Behind the others: modules take turns.
            self.waiting.push_back(WaitingModule { module: module.clone(), versions });
        }
        self.free_permits -= 1;
        self.compiling.insert(module.clone());
        Some((module, grant))
    }
}

impl Drop for CompilePermit {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.free_permits += 1;
        state.compiling.remove(&self.module);
        drop(state);
        self.queue.grant();
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

    /// A future that waits in the queue.
    fn wait(queue: &Arc<CompileQueue>, module: &'static str) -> BoxFuture<'static, CompilePermit> {
        let queue = queue.clone();
        let module = name(module);
        let mut waiting = async move { queue.acquire(&module).await }.boxed();
        assert!((&mut waiting).now_or_never().is_none(), "it has to wait");
        waiting
    }

    #[test]
    fn many_versions_of_one_module_leave_a_turn_to_another() {
        let queue = CompileQueue::new(2);
        let first = queue.acquire(&name("many")).now_or_never().unwrap();
        let mut rest: Vec<_> = (0..100).map(|_| wait(&queue, "many")).collect();
        let other = queue.acquire(&name("other")).now_or_never().unwrap();
        drop(other);
        assert!(rest.iter_mut().all(|waiting| waiting.now_or_never().is_none()), "one of a module at a time");
        drop(first);
        assert!((&mut rest[0]).now_or_never().is_some(), "in the order in which they came");
    }

    #[test]
    fn modules_take_turns() {
        let queue = CompileQueue::new(1);
        let running = queue.acquire(&name("a")).now_or_never().unwrap();
        let [mut a1, mut a2, mut b, mut c] = ["a", "a", "b", "c"].map(|module| wait(&queue, module));
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
        let queue = CompileQueue::new(1);
        let running = queue.acquire(&name("a")).now_or_never().unwrap();
        drop(wait(&queue, "a"));
        let granted = wait(&queue, "b");
        let mut last = wait(&queue, "c");
        drop(running);
        // This one has its permit, and is dropped before it sees it.
        drop(granted);
        assert!((&mut last).now_or_never().is_some());
        assert!(queue.acquire(&name("a")).now_or_never().is_some());
    }
}
