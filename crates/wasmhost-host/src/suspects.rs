//! Suspects: jobs whose claims keep ending without an outcome. A host runs at most one at a time, beside others, so that the
//! neighbours of a task that kills hosts do not reach the limit with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmhost_protocol::{Record, RetryPolicy};

use crate::host::random_fraction;

/// How long a suspect is given back for while another one runs: between half of it and all.
const WAIT: Duration = Duration::from_secs(1);

/// The one place for a suspect.
#[derive(Debug, Clone)]
pub(crate) struct Suspects(Arc<Semaphore>);

/// A suspect's turn, until dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Suspects {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// The turn of a claim that is about to be written, none where the job is no suspect; or how long it has to wait.
    pub(crate) fn turn_of(&self, claimed: &Record) -> Result<Option<Turn>, Duration> {
        if claimed.lost < RetryPolicy::SUSPECT_LOST {
            return Ok(None);
        }
        match self.0.clone().try_acquire_owned() {
            Ok(permit) => Ok(Some(Turn(permit))),
            Err(_) => Err(WAIT.mul_f64(0.5 + random_fraction() / 2.0)),
        }
    }
}
