//! What an operator may set for a host.

use std::path::PathBuf;
use std::time::Duration;

use wasmhost_host::{HostConfig, MemoryBudget};
use wasmhost_nats::LayoutConfig;
use wasmhost_protocol::policy::Ceiling;

use crate::config::flag_values::{
    Queues, parse_ack_wait, parse_bytes, parse_grace, parse_memory, parse_memory_limit,
    parse_reconcile_after, parse_replicas, parse_slots, parse_storage,
};
use crate::error::CliError;
use crate::local::component;

/// What an operator may set.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Settings {
    /// The queues to serve, each with its share of the slots [default: default:1]
    #[arg(long, value_name = "NAME:WEIGHT,…", env = "WASMHOST_QUEUES")]
    pub(crate) queues: Option<Queues>,
    /// Attempts at a time, at most 10000 [default: 64 for each core]
    #[arg(long, value_name = "NUMBER", env = "WASMHOST_SLOTS", value_parser = parse_slots)]
    pub(crate) slots: Option<u32>,
    /// The most memory that the policy of a module may ask for, up to 4G [default: 512M]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_MEMORY_LIMIT", value_parser = parse_memory_limit)]
    pub(crate) memory_limit: Option<u64>,
    /// Memory of all attempts together: a size, or a part of what the machine or its control group has. Each attempt has its module's
    /// limit reserved while it runs; above 100% only for modules that use less than they may [default: 80%]
    #[arg(long, value_name = "SIZE|PERCENT", env = "WASMHOST_MEMORY", value_parser = parse_memory)]
    pub(crate) memory: Option<MemoryBudget>,
    /// The most that the code of all loaded modules may have; those used longest ago go first [default: 1G]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_MODULES_MEMORY", value_parser = parse_bytes)]
    pub(crate) modules_memory: Option<u64>,
    /// How long a drain waits for what runs, at most 30d [default: 30s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_GRACE", value_parser = parse_grace)]
    pub(crate) grace: Option<Duration>,
    /// Without a sign of life for this long, 1s to 1d, a job is given to another host [default: 30s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_ACK_WAIT", value_parser = parse_ack_wait)]
    pub(crate) ack_wait: Option<Duration>,
    /// A job whose message has been gone for this long, 100ms to 1d, is ended as lost. Clients give up publishing after half of it [default:
    /// 60s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_RECONCILE_AFTER", value_parser = parse_reconcile_after)]
    pub(crate) reconcile_after: Option<Duration>,
    /// Where compiled components are kept [default: wasmhost in the user's cache]
    #[arg(long, value_name = "DIR", env = "WASMHOST_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// What the streams of jobs, schedules, logs and dead jobs may take on the server; for the first start, which makes them,
    /// and at least 7M [default: 7G]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_STORAGE", value_parser = parse_storage)]
    pub(crate) storage: Option<u64>,
    /// Copies of each stream in a cluster; for the first start [default: 1]
    #[arg(long, value_name = "NUMBER", env = "WASMHOST_REPLICAS", value_parser = parse_replicas)]
    pub(crate) replicas: Option<usize>,
    /// Whether submitters may say which record their job has; false where they are not trusted [default: true]
    #[arg(long, value_name = "BOOL", env = "WASMHOST_TRUST_SUBMITTERS")]
    pub(crate) trust_submitters: Option<bool>,
    /// Whether to wait where NATS cannot be reached at the start; false ends with 69 [default: true]
    #[arg(long, value_name = "BOOL", env = "WASMHOST_AWAIT_NATS")]
    pub(crate) await_nats: Option<bool>,
    /// The most that may be asked for; in the configuration file only.
    #[arg(skip)]
    pub(crate) ceiling: Option<Ceiling>,
}

impl Settings {
    /// These, and those of `below` where nothing is set.
    pub(crate) fn over(self, below: Self) -> Self {
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
