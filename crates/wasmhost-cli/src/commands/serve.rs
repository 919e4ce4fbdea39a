//! `wasmhost serve`: a host.

mod ceiling;
mod config;

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use wasmhost_host::{HostConfig, HostError, MemoryBudget};
use wasmhost_nats::{Backoff, ConnectError, Connection, LayoutConfig, RightsError};
use wasmhost_protocol::policy::Ceiling;

use crate::cli::Global;
use crate::error::{CliError, chain};
use crate::exit::Exit;
use crate::flag_values::{
    Queues, parse_ack_wait, parse_bytes, parse_grace, parse_memory, parse_memory_limit,
    parse_reconcile_after, parse_replicas, parse_slots, parse_storage,
};
use crate::{component, connect, runtime};

/// Flags of `serve`. Each may also stand in the configuration file, by the same name.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
A flag overrules the environment, and that the configuration file, a TOML file with the flags' names as keys:

  nats = \"nats://nats-1:4222,nats://nats-2:4222\"
  queues = \"high:4,default:1\"
  slots = 32
  grace = \"30s\"
  [ceiling.limits]
  timeout = \"7d\"
  [ceiling.retry]
  max-attempts = 5000

A ceiling is the most that a module's policy or a job may ask for: of limits cpu, timeout, soft-timeout, table-elements, handles, result, \
meta, checkpoint and updates-per-second, of retry max-attempts, initial-delay, factor, max-delay and max-lost. That of memory is \
--memory-limit.

SIGTERM, SIGHUP and Ctrl-C drain: no more work is taken, what runs may finish within --grace.

Example: wasmhost serve --nats nats://nats:4222 --queues high:4,default:1 --slots 32")]
pub(crate) struct Args {
    /// A configuration file
    #[arg(long, value_name = "FILE", env = "WASMHOST_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// What an operator may set.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Settings {
    /// The queues to serve, each with its share of the slots [default: default:1]
    #[arg(long, value_name = "NAME:WEIGHT,…", env = "WASMHOST_QUEUES")]
    queues: Option<Queues>,
    /// Attempts at a time, at most 10000 [default: 64 for each core]
    #[arg(long, value_name = "NUMBER", env = "WASMHOST_SLOTS", value_parser = parse_slots)]
    slots: Option<u32>,
    /// The most memory that the policy of a module may ask for, up to 4G [default: 512M]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_MEMORY_LIMIT", value_parser = parse_memory_limit)]
    memory_limit: Option<u64>,
    /// Memory of all attempts together: a size, or a part of what the machine or its control group has. Each attempt has its module's
    /// limit reserved while it runs; above 100% only for modules that use less than they may [default: 80%]
    #[arg(long, value_name = "SIZE|PERCENT", env = "WASMHOST_MEMORY", value_parser = parse_memory)]
    memory: Option<MemoryBudget>,
    /// The most that the code of all loaded modules may have; those used longest ago go first [default: 1G]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_MODULES_MEMORY", value_parser = parse_bytes)]
    modules_memory: Option<u64>,
    /// How long a drain waits for what runs, at most 30d [default: 30s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_GRACE", value_parser = parse_grace)]
    grace: Option<Duration>,
    /// Without a sign of life for this long, 1s to 1d, a job is given to another host [default: 30s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_ACK_WAIT", value_parser = parse_ack_wait)]
    ack_wait: Option<Duration>,
    /// A job whose message has been gone for this long, 100ms to 1d, is ended as lost. Clients give up publishing after half of it [default:
    /// 60s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_RECONCILE_AFTER", value_parser = parse_reconcile_after)]
    reconcile_after: Option<Duration>,
    /// Where compiled components are kept [default: wasmhost in the user's cache]
    #[arg(long, value_name = "DIR", env = "WASMHOST_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// What the streams of jobs, schedules, logs and dead jobs may take on the server; for the first start, which makes them,
    /// and at least 7M [default: 7G]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_STORAGE", value_parser = parse_storage)]
    storage: Option<u64>,
    /// Copies of each stream in a cluster; for the first start [default: 1]
    #[arg(long, value_name = "NUMBER", env = "WASMHOST_REPLICAS", value_parser = parse_replicas)]
    replicas: Option<usize>,
    /// Whether submitters may say which record their job has; false where they are not trusted [default: true]
    #[arg(long, value_name = "BOOL", env = "WASMHOST_TRUST_SUBMITTERS")]
    trust_submitters: Option<bool>,
    /// Whether to wait where NATS cannot be reached at the start; false ends with 69 [default: true]
    #[arg(long, value_name = "BOOL", env = "WASMHOST_AWAIT_NATS")]
    await_nats: Option<bool>,
    /// The most that may be asked for; in the configuration file only.
    #[arg(skip)]
    ceiling: Option<Ceiling>,
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let mut global = global.clone();
    let settings = match &args.config {
        Some(path) => args.settings.over(config::read(path, &mut global)?),
        None => args.settings,
    };
    let await_nats = settings.await_nats.unwrap_or(true);
    let config = settings.host_config()?;
    let guests = runtime::guests()?;
    let ended =
        runtime::current_thread()?.block_on(serve(&global, config, guests.handle().clone(), await_nats));
    guests.shutdown_background();
    ended
}

async fn serve(
    global: &Global,
    config: HostConfig,
    guests: tokio::runtime::Handle,
    await_nats: bool,
) -> Result<Exit, CliError> {
    let (ask, mut asked) = tokio::sync::oneshot::channel();
    let host = async {
        let Some(connection) = connection(global, await_nats, &mut asked).await? else { return Ok(Exit::Ok) };
        // A sender that is gone means that the host is to end as well.
        let stop = async { drop(asked.await) };
        wasmhost_host::run(connection, config, guests, stop).await.map_err(host_failed).map(|()| Exit::Ok)
    };
    // The host is dropped at a second signal as if it were killed: what it ran comes again after ack-wait.
    tokio::select! {
        ended = host => ended,
        Err(cli_error) = signals(ask) => Err(cli_error),
    }
}

/// A connection, as soon as there is a server; none where the host is asked to end before.
async fn connection(
    global: &Global,
    await_nats: bool,
    asked: &mut tokio::sync::oneshot::Receiver<()>,
) -> Result<Option<Connection>, CliError> {
    let config = global.connect_config()?;
    let mut backoff = Backoff::between(Duration::from_millis(250), Duration::from_secs(5));
    loop {
        // An attempt to connect that is dropped leaves nothing behind.
        let opened = tokio::select! {
            opened = Connection::open(&config) => opened,
            _ = &mut *asked => return Ok(None),
        };
        match opened {
            Ok(connection) => return Ok(Some(connection)),
            Err(error @ ConnectError::Unreachable { .. }) if await_nats => {
                let error = connect::without_passwords(&chain(&error));
                tracing::warn!(error, "waiting for NATS (`--await-nats false` ends instead)");
            }
            Err(error) => return Err(connect::refused(&error)),
        }
        tokio::select! {
            () = backoff.wait() => {}
            _ = &mut *asked => return Ok(None),
        }
    }
}

/// Passes the first signal on as the wish to drain; a second one ends the host at once.
async fn signals(ask: tokio::sync::oneshot::Sender<()>) -> Result<Infallible, CliError> {
    runtime::stop_requested().await?;
    drop(ask);
    runtime::stop_requested().await?;
    Err(CliError::new(
        Exit::Interrupted,
        "a second signal: ended at once; jobs that ran come again after ack-wait",
    ))
}

/// Why a host ended.
pub(crate) fn host_failed(error: HostError) -> CliError {
    match error {
        HostError::Rights(error @ RightsError::Unreachable(_)) => CliError::of(Exit::Unreachable, &error),
        HostError::Rights(error) => CliError::of(Exit::Denied, &error),
        HostError::Layout(error) => error.into(),
        HostError::Connect(error) => connect::refused(&error),
        HostError::Sandbox(error) => component::no_sandbox(&error),
        HostError::Ended(_) => CliError::of(Exit::Unreachable, &error),
        _ => CliError::of(Exit::Config, &error),
    }
}

impl Settings {
    /// These, and those of `below` where nothing is set.
    fn over(self, below: Self) -> Self {
        Self {
            queues: self.queues.or(below.queues),
            slots: self.slots.or(below.slots),
            memory_limit: self.memory_limit.or(below.memory_limit),
            memory: self.memory.or(below.memory),
            modules_memory: self.modules_memory.or(below.modules_memory),
            grace: self.grace.or(below.grace),
            ack_wait: self.ack_wait.or(below.ack_wait),
            reconcile_after: self.reconcile_after.or(below.reconcile_after),
            cache_dir: self.cache_dir.or(below.cache_dir),
            storage: self.storage.or(below.storage),
            replicas: self.replicas.or(below.replicas),
            trust_submitters: self.trust_submitters.or(below.trust_submitters),
            await_nats: self.await_nats.or(below.await_nats),
            ceiling: self.ceiling.or(below.ceiling),
        }
    }

    /// The host's configuration: these over its defaults.
    pub(crate) fn host_config(self) -> Result<HostConfig, CliError> {
        let default = HostConfig::new(component::child_compiler()?);
        let mut layout = self.storage.map_or(default.layout, LayoutConfig::within);
        layout.replicas = self.replicas.unwrap_or(layout.replicas);
        let mut ceiling = self.ceiling.unwrap_or(default.ceiling);
        ceiling.memory_bytes = self.memory_limit.unwrap_or(ceiling.memory_bytes);
        Ok(HostConfig {
            queues: self.queues.map_or(default.queues, |queues| queues.0),
            slots: self.slots.unwrap_or(default.slots),
            ceiling,
            memory: self.memory.unwrap_or(default.memory),
            modules_bytes: self.modules_memory.unwrap_or(default.modules_bytes),
            grace: self.grace.unwrap_or(default.grace),
            ack_wait: self.ack_wait.unwrap_or(default.ack_wait),
            reconcile_after: self.reconcile_after.unwrap_or(default.reconcile_after),
            cache_dir: self.cache_dir.or_else(component::usual_cache_dir),
            trust_submitters: self.trust_submitters.unwrap_or(default.trust_submitters),
            compiler: default.compiler,
            layout,
        })
    }
}
