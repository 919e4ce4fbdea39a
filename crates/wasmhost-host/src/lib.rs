//! A host: takes jobs from its queues, runs each in a fresh sandbox and records every transition.
//!
//! Read in this order to follow a job: `pull` (a free slot asks for a delivery), `process` (the whole of one delivery, top to
//! bottom), `delivery` (the message as a job), `claim`, `attempt` and `lease`, `execute`, `complete`, `settle`. Beside them runs
//! `reconcile`. Where each rule of the protocol is, and which tests fail without it, is in
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

pub mod bounds;
mod config;

mod life_cycle;
mod states_bucket;
mod storage;

mod backpressure;
mod memory;
mod queues;
mod slots;

mod pull;

mod delivery;
mod due;
mod process;

mod claim;
mod running_leases;

mod attempt;
mod blobs;
mod checkpoints;
mod lease;

mod execute;
mod loading;

mod complete;
mod dead_letter;
mod settle;

mod presence;
mod reconcile;
mod revoke_broadcasts;
mod services;

mod host;
mod run;
mod supervise;

pub use config::{BadConfig, HostConfig, MemoryBudget};
pub use run::{HostError, run};
