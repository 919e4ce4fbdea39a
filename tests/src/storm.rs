//! Storms: many jobs on several real hosts while everything breaks that may break, planned from a seed, and checked by the
//! auditor. The same seed gives the same jobs and the same faults at the same times, but not the same interleaving.
//!
//! A storm has five parts. A [plan](Plan) says which jobs are submitted and which faults happen, and when. The clients submit
//! the jobs while the fault injector carries out the faults. In the quiescence after it the hosts finish the rest.
//! The outcome is decided from the recorder's capture, by the auditor and by what the plan leads to expect.

mod fault;
mod job;
mod plan;
mod rng;

mod notes;
mod observers;
mod witness;

mod fleet;
mod submitter;

mod clients;
mod fault_injector;
mod killer;
mod revoker;

mod expect;
mod history;
mod outcome;
mod quiescence;
mod report;

mod setup;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use tokio::time::Instant;

pub use plan::{Plan, Scale, Theme};
pub use report::Report;

use clients::Clients;
use outcome::Run;
use setup::Setup;

/// How a storm is run.
#[derive(Debug, Clone)]
pub struct StormOptions {
    /// Another build of `wasmhost` for the hosts; none for the usual one.
    pub program: Option<PathBuf>,
    /// Variables in the hosts' environment.
    pub environment: Vec<(String, String)>,
    /// How long a host waits before it ends a job that has no message.
    pub reconcile_after: Duration,
    /// How long the system may take to come to rest.
    pub rest_within: Duration,
}

impl Default for StormOptions {
    fn default() -> Self {
        Self {
            program: None,
            environment: Vec::new(),
            reconcile_after: Duration::from_secs(10),
            rest_within: Duration::from_secs(90),
        }
    }
}

/// Runs the storm of a plan, waits until the system is at rest, and decides what came of it.
///
/// # Errors
///
/// The harness fails. A broken promise is no error here: the report has it.
pub async fn storm(plan: &Plan, options: &StormOptions) -> anyhow::Result<Report> {
    // On the heap, because several storms at a time would not fit on a test's stack.
    let mut setup = Box::pin(Setup::prepare(plan, options)).await?;
    let start = Instant::now();
    let clients = Clients::start(plan, &setup.submitter, &setup.fleet, start);
    let tally = Box::pin(setup.inject_faults(plan, start)).await.context("injecting faults")?;
    let clients = clients.finish(options.rest_within).await;
    let run = Run { plan, options, tally, clients };
    Box::pin(outcome::decide(setup, run)).await
}
