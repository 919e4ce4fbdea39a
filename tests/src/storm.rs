//! Storms: many jobs on several real hosts while everything breaks that may break, planned from a seed, and judged by the
//! auditor. The same seed is the same jobs and faults at the same times; not the same interleaving.
//!
//! plan → hosts, submitters, fault_injector → quiescent → capture → decision.

mod fault;
mod job;
mod plan;
mod rng;

mod notes;
mod observers;
mod witness;

mod fault_injector;
mod fleet;
mod killer;
mod revoker;
mod submitter;

mod expect;
mod history;
mod quiescence;
mod report;
mod verdict;

mod clients;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use futures::future::try_join_all;
use tokio::time::Instant;
use wasmhost_audit::Recorder;
use wasmhost_client::{Client, ClientConfig};

use crate::{deployment::Deployment, proxy::Proxy};
use clients::Clients;
use fault_injector::{FaultInjector, Tally};
use fleet::{Fleet, Kit};
use notes::Notes;
use observers::Observers;
pub use plan::{Plan, Scale, Theme};
pub use report::Report;
use submitter::Submitter;
use verdict::Seen;
use witness::Witness;

/// Retries come soon, and jobs outlive any number of dead hosts.
const STORM_POLICY: &str = "[retry]\ninitial_delay = \"100ms\"\nmax_lost = 50\n";

/// The second dead host is the last.
const KILLER_POLICY: &str = "[retry]\nmax_lost = 1\n";

/// The first dead host is the last.
const FRAGILE_POLICY: &str = "[retry]\nmax_lost = 0\n";

/// How a storm is raised.
#[derive(Debug, Clone)]
pub struct StormOptions {
    /// Another build of `wasmhost` for the hosts.
    pub program: Option<PathBuf>,
    /// The hosts' environment.
    pub environment: Vec<(String, String)>,
    /// The hosts' grace before they end what has no message.
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

/// Raises the storm of a plan, waits for the quiescent, and judges.
///
/// # Errors
///
/// Where the harness fails; a broken promise is no error here, but in the report.
pub async fn storm(plan: &Plan, options: &StormOptions) -> anyhow::Result<Report> {
    // On the heap: several storms at a time would not fit on a test's stack.
    let mut ground = Box::pin(Ground::prepare(plan, options)).await?;
    let start = Instant::now();
    let clients = Clients::gather(plan, &ground, start);
    let tally = Box::pin(ground.fault_injector(plan, start)).await.context("the fault_injector")?;
    let (kills_by_jobs, troubles) = clients.disperse(options.rest_within).await;
    let seen = Seen { plan, options, tally, kills_by_jobs, troubles };
    Box::pin(verdict::judge(ground, seen)).await
}

/// Everything that a storm needs to stand.
pub(crate) struct Ground {
    deployment: Deployment,
    fleet: Arc<Fleet>,
    clients: Proxy,
    observers: Observers,
    witness: Arc<Witness>,
    notes: Arc<Notes>,
    submitter: Submitter,
    recorder: Recorder,
}

impl Ground {
    async fn prepare(plan: &Plan, options: &StormOptions) -> anyhow::Result<Self> {
        let deployment = Deployment::start().await?;
        let proxies = try_join_all((0..plan.scale.hosts).map(|_| deployment.proxy())).await?;
        let clients = deployment.proxy().await?;
        let kit = Kit {
            program: options.program.clone(),
            environment: options.environment.clone(),
            flags: fleet::flags(options.reconcile_after),
        };
        let fleet = Arc::new(Fleet::start(proxies, &kit).await?);
        deployment.push_as("storm", job::STORM, STORM_POLICY).await?;
        deployment.push_as("storm", job::KILLER, KILLER_POLICY).await?;
        deployment.push_as("storm", job::FRAGILE, FRAGILE_POLICY).await?;
        let observers = Observers::connect(&deployment.server.url()).await?;
        let recorder = Recorder::start(observers.recorder.clone()).await?;
        let witness = Arc::new(Witness::watch(&observers.witness.client).await?);
        let notes = Arc::new(Notes::default());
        let mut config = ClientConfig::new(clients.url());
        config.publish_within = options.reconcile_after / 2;
        let submitter = Submitter {
            client: Client::connect(config).await?,
            raw: submitter::raw(&clients.url()).await?,
            notes: Arc::clone(&notes),
            witness: Arc::clone(&witness),
        };
        Ok(Self { deployment, fleet, clients, observers, witness, notes, submitter, recorder })
    }

    async fn fault_injector(&mut self, plan: &Plan, start: Instant) -> anyhow::Result<Tally> {
        let mut fault_injector = FaultInjector {
            server: &mut self.deployment.server,
            fleet: &self.fleet,
            clients: &self.clients,
            observers: &self.observers,
            witness: &self.witness,
            notes: Arc::clone(&self.notes),
            tally: Tally::default(),
        };
        fault_injector.carry_out(&plan.faults, start).await?;
        fault_injector.quiescent();
        Ok(fault_injector.tally)
    }
}
