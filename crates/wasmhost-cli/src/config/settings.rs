//! What an operator may set for a host. A field is all of a setting: its flag, its variable, its key in the configuration
//! file, its bounds and its help; [`Settings::host_config`] says what it changes.

use std::path::PathBuf;
use std::time::Duration;

use wasmhost_host::bounds::{ACK_WAIT, RECONCILE_AFTER, SLOTS};
use wasmhost_host::{HostConfig, MemoryBudget};
use wasmhost_nats::LayoutConfig;
use wasmhost_protocol::bounds::{GRACE, MEMORY_BYTES};
use wasmhost_protocol::policy::Ceiling;

use super::flag_values::{Queues, bytes, duration, number, parse_bytes, parse_memory_budget};
use crate::error::CliError;
use crate::local::sandbox;

/// What an operator may set for a host.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Settings {
    /// The queues to serve, each with its share of the slots [default: default:1]
    #[arg(long, value_name = "NAME:WEIGHT,…", env = "WASMHOST_QUEUES")]
    queues: Option<Queues>,
    /// Attempts at a time, at most 10000 [default: 64 for each core]
    #[arg(long, value_name = "NUMBER", env = "WASMHOST_SLOTS", value_parser = number(SLOTS))]
    slots: Option<u32>,
    /// The most memory that the policy of a module may ask for, up to 4G [default: 512M]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_MEMORY_LIMIT", value_parser = bytes(MEMORY_BYTES))]
    memory_limit: Option<u64>,
    /// Memory of all attempts together: a size, or a part of what the machine or its control group has. Each attempt has its module's
    /// limit reserved while it runs; above 100% only for modules that use less than they may [default: 80%]
    #[arg(long, value_name = "SIZE|PERCENT", env = "WASMHOST_MEMORY", value_parser = parse_memory_budget)]
    memory: Option<MemoryBudget>,
    /// The most that the code of all loaded modules may have; those used longest ago go first [default: 1G]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_MODULES_MEMORY", value_parser = parse_bytes)]
    modules_memory: Option<u64>,
    /// How long a drain waits for what runs, at most 30d [default: 30s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_GRACE", value_parser = duration(GRACE))]
    grace: Option<Duration>,
    /// Without a sign of life for this long, 1s to 1d, a job is given to another host [default: 30s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_ACK_WAIT", value_parser = duration(ACK_WAIT))]
    ack_wait: Option<Duration>,
    /// A job whose message has been gone for this long, 100ms to 1d, is ended as lost. Clients give up publishing after half of it [default:
    /// 60s]
    #[arg(long, value_name = "DURATION", env = "WASMHOST_RECONCILE_AFTER", value_parser = duration(RECONCILE_AFTER))]
    reconcile_after: Option<Duration>,
    /// Where compiled components are kept [default: wasmhost in the user's cache]
    #[arg(long, value_name = "DIR", env = "WASMHOST_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// What the streams of jobs, schedules, logs and dead jobs may take on the server; for the first start, which makes them,
    /// and at least 7M [default: 7G]
    #[arg(long, value_name = "SIZE", env = "WASMHOST_STORAGE", value_parser = bytes(LayoutConfig::STORAGE))]
    storage: Option<u64>,
    /// Copies of each stream in a cluster; for the first start [default: 1]
    #[arg(long, value_name = "NUMBER", env = "WASMHOST_REPLICAS", value_parser = number(LayoutConfig::REPLICAS))]
    replicas: Option<usize>,
    /// Whether submitters may say which record their job has; false where they are not trusted [default: true]
    #[arg(long, value_name = "BOOL", env = "WASMHOST_TRUST_SUBMITTERS")]
    trust_submitters: Option<bool>,
    /// Whether to wait where NATS cannot be reached at the start; false ends with 69 [default: true]
    #[arg(long, value_name = "BOOL", env = "WASMHOST_AWAIT_NATS")]
    await_nats: Option<bool>,
    /// The most that policies and jobs may ask for; only the configuration file can say it.
    #[arg(skip)]
    pub(crate) ceiling: Option<Ceiling>,
}

impl Settings {
    /// Whether a host waits for a server that cannot be reached at the start.
    pub(crate) fn await_nats(&self) -> bool {
        self.await_nats.unwrap_or(true)
    }

    /// The configuration of a host with these settings.
    pub(crate) fn host_config(self) -> Result<HostConfig, CliError> {
        let mut config = HostConfig::new(sandbox::child_compiler()?);
        set(&mut config.queues, self.queues.map(|queues| queues.0));
        set(&mut config.slots, self.slots);
        // The file may set either `memory-limit` or the memory of its ceilings, and the flag overrules both.
        set(&mut config.ceiling, self.ceiling);
        set(&mut config.ceiling.memory_bytes, self.memory_limit);
        set(&mut config.memory, self.memory);
        set(&mut config.modules_bytes, self.modules_memory);
        set(&mut config.grace, self.grace);
        set(&mut config.ack_wait, self.ack_wait);
        set(&mut config.reconcile_after, self.reconcile_after);
        set(&mut config.trust_submitters, self.trust_submitters);
        set(&mut config.layout, self.storage.map(LayoutConfig::within));
        set(&mut config.layout.replicas, self.replicas);
        // The usual directory is tried by writing to it, and a warning printed where that fails: only if it is needed.
        config.cache_dir = self.cache_dir.or_else(sandbox::default_cache_dir);
        Ok(config)
    }
}

/// Replaces the default, where something else is set.
fn set<T>(default: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *default = value;
    }
}
