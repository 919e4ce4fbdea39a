//! A host: takes jobs from its queues, runs each in a fresh sandbox and records every transition.
//!
//! Read in this order to follow a job: `pull` (a slot asks for a delivery), `delivery` (the message as a job), `attempt`
//! (the whole of one delivery, top to bottom), `claim`, `start`, `lease`, `record`, `settle`. Beside them runs `reconcile`. Which
//! rule of the protocol lives where, and which test goes red without it, is in
//! [`docs/protocol.md`](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md).
//!
//! ```no_run
//! # async fn serve(compiler: wasmhost_sandbox::Compiler) -> Result<(), Box<dyn std::error::Error>> {
//! use wasmhost_host::HostConfig;
//! use wasmhost_nats::{ConnectConfig, Connection};
//!
//! let connection = Connection::open(&ConnectConfig::new("nats://127.0.0.1:4222")).await?;
//! let guests = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
//! let config = HostConfig::new(compiler);
//! wasmhost_host::run(connection, config, guests.handle().clone(), std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod blobs;
mod blocked_writes;
pub mod bounds;
mod bucket;
mod claim;
mod config;
mod dead_letter;
mod delivery;
mod due;
mod endpoints;
mod host;
mod lease;
mod loading;
mod logs;
mod memory;
mod presence;
mod process;
mod pull;
mod quarantine;
mod queues;
mod reconcile;
mod record;
mod run;
mod running_leases;
mod settle;
mod slots;
mod start;

pub use config::{HostConfig, MemoryBudget};
pub use run::{HostError, run};
