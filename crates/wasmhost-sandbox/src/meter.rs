//! Measures what an attempt uses: CPU time by the thread's clock around each poll of the guest's future, so that a
//! sleeping guest costs nothing; memory as the limiter reports it. Shared, so that it outlives the store.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmhost_protocol::record::Usage;

/// What an attempt used so far.
#[derive(Debug)]
pub(crate) struct Meter {
    started: Instant,
    cpu_limit: Duration,
    cpu_before_ns: AtomicU64,
    poll_started_ns: AtomicU64,
    memory_peak: AtomicU64,
}

impl Meter {
    pub(crate) fn start(cpu_limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            cpu_limit,
            cpu_before_ns: AtomicU64::new(0),
            poll_started_ns: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
        }
    }

    /// Whether the CPU limit is passed. Only true to the moment on the thread that polls the guest.
    pub(crate) fn cpu_is_used_up(&self) -> bool {
        let in_poll = thread_cpu_ns().saturating_sub(self.poll_started_ns.load(Ordering::Relaxed));
        Duration::from_nanos(self.cpu_before_ns.load(Ordering::Relaxed) + in_poll) > self.cpu_limit
    }

    pub(crate) fn record_memory(&self, bytes: u64) {
        self.memory_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            cpu_ms: self.cpu_before_ns.load(Ordering::Relaxed) / 1_000_000,
            memory_peak_bytes: self.memory_peak.load(Ordering::Relaxed),
            wall_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Charges what `work` takes of this thread.
    pub(crate) fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let started = thread_cpu_ns();
        let done = work();
        self.cpu_before_ns.fetch_add(thread_cpu_ns().saturating_sub(started), Ordering::Relaxed);
        done
    }

    fn begin(&self) {
        self.poll_started_ns.store(thread_cpu_ns(), Ordering::Relaxed);
    }

    fn end(&self) {
        let used = thread_cpu_ns().saturating_sub(self.poll_started_ns.load(Ordering::Relaxed));
        self.cpu_before_ns.fetch_add(used, Ordering::Relaxed);
    }
}

/// A future whose polls are charged to a meter.
pub(crate) struct Metered<'a, F> {
    meter: &'a Meter,
    inner: Pin<Box<F>>,
}

impl<'a, F: Future> Metered<'a, F> {
    pub(crate) fn new(meter: &'a Meter, inner: F) -> Self {
        Self { meter, inner: Box::pin(inner) }
    }
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.begin();
        let poll = self.inner.as_mut().poll(cx);
        self.meter.end();
        poll
    }
}

fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
