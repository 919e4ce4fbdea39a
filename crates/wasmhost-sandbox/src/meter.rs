//! Measures what an attempt uses. CPU time is read from the thread's clock around each poll of the guest's future, so
//! that a sleeping guest uses none. Memory is what the limiter reports. A meter is shared, since it is read when the
//! store is gone. All of its accesses are relaxed: they are numbers that no other data depends on.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmhost_protocol::record::Usage;

/// What an attempt has used so far.
#[derive(Debug)]
pub(crate) struct Meter {
    started_at: Instant,
    cpu_limit: Duration,
    /// The CPU time of all polls that have ended, and of conversions.
    charged_cpu_ns: AtomicU64,
    /// What the clock of the polling thread showed when the present poll began.
    poll_started_ns: AtomicU64,
    memory_peak_bytes: AtomicU64,
}

impl Meter {
    /// Starts to measure wall time; `cpu_limit` is what the attempt may use of CPU time.
    pub(crate) fn start(cpu_limit: Duration) -> Self {
        Self {
            started_at: Instant::now(),
            cpu_limit,
            charged_cpu_ns: AtomicU64::new(0),
            poll_started_ns: AtomicU64::new(0),
            memory_peak_bytes: AtomicU64::new(0),
        }
    }

    /// Whether the CPU limit is exceeded. It counts the present poll only if it is called on the thread that polls the
    /// guest.
    pub(crate) fn cpu_is_used_up(&self) -> bool {
        let in_poll = thread_cpu_ns().saturating_sub(self.poll_started_ns.load(Ordering::Relaxed));
        Duration::from_nanos(self.charged_cpu_ns.load(Ordering::Relaxed) + in_poll) > self.cpu_limit
    }

    /// Records how much memory the guest has now, in bytes.
    pub(crate) fn record_memory(&self, bytes: u64) {
        self.memory_peak_bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    /// What the record shows of the attempt.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            cpu_ms: self.charged_cpu_ns.load(Ordering::Relaxed) / 1_000_000,
            memory_peak_bytes: self.memory_peak_bytes.load(Ordering::Relaxed),
            wall_ms: u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Charges the CPU time that `work` takes on this thread.
    pub(crate) fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let started_ns = thread_cpu_ns();
        let result = work();
        self.charge_since(started_ns);
        result
    }

    fn begin_poll(&self) {
        self.poll_started_ns.store(thread_cpu_ns(), Ordering::Relaxed);
    }

    fn end_poll(&self) {
        self.charge_since(self.poll_started_ns.load(Ordering::Relaxed));
    }

    fn charge_since(&self, started_ns: u64) {
        self.charged_cpu_ns.fetch_add(thread_cpu_ns().saturating_sub(started_ns), Ordering::Relaxed);
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
        // A poll runs on one thread from its beginning to its end, so that the clock of the thread measures it.
        self.meter.begin_poll();
        let poll = self.inner.as_mut().poll(cx);
        self.meter.end_poll();
        poll
    }
}

fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
