//! `wasmhost:task/job`: what the running job is, and how long it may still run.

use std::time::Instant;

use wasmhost_protocol::timestamp::Timestamp;

use super::bindings::wasmhost::task::job::{Host, JobContext};
use crate::guest::TaskState;

impl Host for TaskState {
    async fn context(&mut self) -> JobContext {
        self.control.thawed().await;
        JobContext {
            id: self.job.id.to_string(),
            task: self.job.task.to_string(),
            queue: self.job.queue.to_string(),
            attempt: self.job.attempt,
            max_attempts: self.job.max_attempts,
            submitted_at: unix_ms(self.job.submitted_at),
            deadline: unix_ms(self.job.deadline),
        }
    }

    async fn remaining(&mut self) -> u64 {
        self.control.thawed().await;
        let remaining = self.ends_at.saturating_duration_since(Instant::now());
        u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX)
    }

    async fn cancelled(&mut self) -> bool {
        self.control.thawed().await;
        self.control.is_cancelled()
    }
}

/// A time as the interface has it; a time before 1970 becomes 1970.
fn unix_ms(at: Timestamp) -> u64 {
    u64::try_from(at.unix_ms()).unwrap_or(0)
}
