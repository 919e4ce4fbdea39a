//! Everything that a storm needs: a server, hosts behind proxies, observers, and a client.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use tokio::time::Instant;
use wasmhost_audit::Recorder;
use wasmhost_client::{Client, ClientConfig};

use super::{
    StormOptions,
    fault_injector::{FaultInjector, Tally},
    fleet::{self, Fleet, Kit},
    job,
    notes::Notes,
    observers::Observers,
    plan::Plan,
    submitter::{self, Submitter},
    witness::Witness,
};
use crate::{deployment::Deployment, proxy::Proxy};

/// The policy of most jobs: retries come soon, and jobs outlive any number of dead hosts.
const STORM_POLICY: &str = "[retry]\ninitial_delay = \"100ms\"\nmax_lost = 50\n";

/// The policy of jobs that end with their second dead host.
const KILLER_POLICY: &str = "[retry]\nmax_lost = 1\n";

/// The policy of jobs that end with their first dead host.
const FRAGILE_POLICY: &str = "[retry]\nmax_lost = 0\n";

/// Everything that a storm needs.
pub(super) struct Setup {
    pub(super) deployment: Deployment,
    pub(super) fleet: Arc<Fleet>,
    /// The proxy of the clients.
    clients: Proxy,
    observers: Observers,
    pub(super) witness: Arc<Witness>,
    pub(super) notes: Arc<Notes>,
    pub(super) submitter: Submitter,
    pub(super) recorder: Recorder,
}

impl Setup {
    /// Starts the server and the hosts, pushes the modules, and connects everybody.
    pub(super) async fn prepare(plan: &Plan, options: &StormOptions) -> anyhow::Result<Self> {
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
        let witness = Arc::new(Witness::watch(&observers.witness).await?);
        let notes = Arc::new(Notes::default());
        let submitter = Submitter {
            client: connect(&clients, options.reconcile_after).await?,
            raw: submitter::raw(&clients.url()).await?,
            notes: Arc::clone(&notes),
            witness: Arc::clone(&witness),
        };
        Ok(Self { deployment, fleet, clients, observers, witness, notes, submitter, recorder })
    }

    /// Carries out all faults of the plan, each at its time from `start` on, and ends those that last.
    pub(super) async fn inject_faults(&mut self, plan: &Plan, start: Instant) -> anyhow::Result<Tally> {
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
        fault_injector.end_all();
        Ok(fault_injector.tally)
    }
}

/// Connects the client. It stops publishing before a host may end its job as never published.
async fn connect(proxy: &Proxy, reconcile_after: Duration) -> anyhow::Result<Client> {
    let mut config = ClientConfig::new(proxy.url());
    config.publish_timeout = reconcile_after / 2;
    Ok(Client::connect(config).await?)
}
