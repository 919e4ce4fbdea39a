//! Submits wasmhost jobs and follows them: everything that a program outside a host needs.
//!
//! Follow a job by reading the files in this order: `submission` (the job as it is described), `manifests` (could any host
//! run it), `submit` (its record, then its message), `watch` and `result` (what becomes of it).
//!
//! ```no_run
//! use std::time::Duration;
//! use wasmhost_client::{Client, ClientConfig};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect(ClientConfig::from_env()?).await?;
//! let job = client
//!     .task("thumbs.resize")
//!     .timeout(Duration::from_secs(30))
//!     .submit(&serde_json::json!({ "width": 128 }))
//!     .await?;
//! let mut states = job.watch().await?;
//! while let Some(record) = states.next().await {
//!     eprintln!("{}", record.label());
//! }
//! let bytes: usize = job.result().await?;
//! # let _ = bytes;
//! # Ok(())
//! # }
//! ```

mod sign_in;

mod config;
mod environment;

mod client;

mod builder;
mod submission;

mod manifests;

mod submit;

mod bulk;
mod intent;

mod job;
mod notes;
mod turns;
mod waiting;
mod watch;

mod forget;
mod result;
mod revoke;

mod hosts;
mod list;
mod modules;

pub use builder::SubmissionBuilder;
pub use client::Client;
pub use config::{ClientConfig, PUBLISH_TIMEOUT};
pub use environment::ConfigError;
pub use forget::ForgetError;
pub use job::{JobHandle, StatusError};
pub use modules::Modules;
pub use notes::Notes;
pub use result::ResultError;
pub use revoke::RevokeOptions;
pub use revoke::error::RevokeError;
pub use sign_in::{Contradiction, DEFAULT_URL, SignInSettings};
pub use submission::{RegistryCheck, Submission};
pub use submit::Accepted;
pub use submit::error::SubmitError;
pub use watch::States;

pub use wasmhost_nats::registry::{RegistryError, Version};
pub use wasmhost_nats::{ConnectConfig, ConnectError, Connection, Credentials, JobFilter, ReadError};
pub use wasmhost_protocol as protocol;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
