//! A host: it takes jobs from its queues, runs each in a fresh sandbox, and records every transition.
//!
//! [`run`] is the whole life of a host. To follow one job, read the modules in this order:
//!
//! 1. `run` prepares the host, serves and drains; `host` puts it together; `supervise` watches what runs side by side.
//! 2. `pull` asks for deliveries: `pull::share` decides how many of which queue, as far as `slots` and `memory` allow.
//! 3. `delivery` parses the message, and `process` takes it from its claim to its end.
//! 4. `claim` carries out what the protocol decides about the delivery, and writes the claim.
//! 5. `attempt` holds the job from then on: `lease` keeps its record and its delivery, `checkpoints` what the guest saves.
//! 6. `execute` loads the module (`loading`), starts the guest, and attends to it until there is an outcome.
//! 7. `complete` records what follows: the result's blob, the dead-letter copy (`dead_letter`), the terminal record.
//! 8. `due` deletes the due message that the job came from, and `settle` answers JetStream.
//!
//! Beside them run `reconcile`, which ends jobs whose message is gone, `services`, which offers the client over NATS, `presence`, and
//! `revoke_broadcasts`; one host of a deployment scans for all (`candidate`, `election`). The rules behind all this, each with its reason and its tests, are in
//! [`docs/protocol.md`](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md).
//!
//! ```no_run
//! # async fn serve(compiler: wasmhost_sandbox::Compiler) -> Result<(), Box<dyn std::error::Error>> {
//! use wasmhost_host::HostConfig;
//! use wasmhost_nats::{ConnectConfig, Connection};
//!
//! let connection = Connection::open(&ConnectConfig::new("nats://127.0.0.1:4222")).await?;
//! // Guests have a runtime of their own.
//! let guests = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
//! let mut config = HostConfig::new(compiler);
//! config.slots = 16;
//! wasmhost_host::run(connection, config, guests.handle().clone(), std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

pub mod bounds;
mod config;

mod run;

mod host;
mod revoke_broadcasts;
mod supervise;

mod life_cycle;
mod states_bucket;
mod storage;

mod pull;

mod backpressure;
mod memory;
mod queues;
mod slots;

mod delivery;
mod process;

mod claim;
mod running_leases;

mod attempt;
mod checkpoints;
mod lease;

mod execute;
mod loading;

mod blobs;
mod complete;
mod dead_letter;

mod due;
mod settle;

mod candidate;
mod election;
mod presence;
mod reconcile;
mod services;

#[cfg(test)]
mod sample;

pub use config::{BadConfig, HostConfig, MemoryBudget};
pub use run::{HostError, run};
