//! The processor time that processes have used, from the operating system.

use std::time::{Duration, Instant};

use crate::error::BenchError;

/// The unit in which Linux tells programs of processor time, on every architecture (`USER_HZ` is 100).
const TICK: Duration = Duration::from_millis(10);

/// The processes of one measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processes {
    pub(crate) server: u32,
    /// None where no host takes part.
    pub(crate) host: Option<u32>,
}

/// What the processes had used at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    at: Instant,
    server: Duration,
    host: Duration,
    own: Duration,
}

/// What the processes used in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    pub(crate) wall: Duration,
    pub(crate) server: Duration,
    pub(crate) host: Duration,
    /// The measuring process, which is the client.
    pub(crate) own: Duration,
}

impl Processes {
    pub(crate) fn sample(&self) -> Result<Sample, BenchError> {
        Ok(Sample {
            at: Instant::now(),
            server: cpu_time(&self.server.to_string())?,
            host: self.host.map_or(Ok(Duration::ZERO), |pid| cpu_time(&pid.to_string()))?,
            own: cpu_time("self")?,
        })
    }
}

impl Sample {
    /// What was used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Used {
        Used {
            wall: self.at - earlier.at,
            server: self.server.saturating_sub(earlier.server),
            host: self.host.saturating_sub(earlier.host),
            own: self.own.saturating_sub(earlier.own),
        }
    }
}

/// The processor time of all threads of a process, of the user and the system.
fn cpu_time(process: &str) -> Result<Duration, BenchError> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).map_err(BenchError::Processes)?;
    // The name of the program stands in brackets, and may have spaces and brackets in it. User and system time are the fields
    // 14 and 15 of proc(5), and the first one behind the name is field 3.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(TICK * u32::try_from(ticks).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_uses_time() {
        let processes = Processes { server: std::process::id(), host: None };
        let before = processes.sample().unwrap();
        let mut sum = 0_u64;
        // Longer than a few ticks of the clock.
        while processes.sample().unwrap().since(&before).own < Duration::from_millis(50) {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum.wrapping_add(n)));
        }
        let used = processes.sample().unwrap().since(&before);
        assert!(used.server >= Duration::from_millis(50) && used.host.is_zero(), "{used:?} {sum}");
    }
}
