//! Recording what was decided about an attempt. Each step is confirmed before the next: the result's blob, the dead-letter copy,
//! then the record ([R7](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r7)). Nothing is settled here.

mod completion;
mod result_blob;
mod success;
mod write_record;

use wasmhost_nats::now;
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::rules::Decision;

use crate::attempt::Attempt;
use crate::backpressure::BlockedWrites;
use crate::life_cycle::LifeCycle;
use crate::settle::Settlement;
use completion::Completion;

/// Records the outcomes of attempts.
pub(crate) struct Completer {
    life: LifeCycle,
    blocked_writes: BlockedWrites,
}

impl Completer {
    /// Creates the completer of a host.
    pub(crate) fn new(life: &LifeCycle, blocked_writes: &BlockedWrites) -> Self {
        Self { life: life.clone(), blocked_writes: blocked_writes.clone() }
    }

    /// Records what was decided. Returns how the delivery is settled, once the record is confirmed; none where the record is
    /// another's, or where the host leaves before the server took the outcome.
    pub(crate) async fn complete(
        &self,
        attempt: &mut Attempt,
        decision: Decision,
        outcome: &Outcome,
    ) -> Option<Settlement> {
        let completion = Completion {
            life: &self.life,
            blocked_writes: &self.blocked_writes,
            attempt,
            outcome,
            decided_at: now(),
            has_dead_letter: None,
            blob: None,
        };
        completion.run(decision).await
    }
}
