//! Submits wasmhost jobs and follows them: everything that a program outside a host needs.
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
//!     eprintln!("{}", record.state());
//! }
//! let bytes: usize = job.result().await?;
//! # let _ = bytes;
//! # Ok(())
//! # }
//! ```

mod client;
mod config;

mod bulk;
mod manifests;
mod submission;
mod submit;

mod job;
mod notes;
mod result;
mod revoke;
mod watch;

mod hosts;
mod list;
mod modules;

pub use client::Client;
pub use config::{ClientConfig, ConfigError, PUBLISH_WITHIN};
pub use job::{ForgetError, Handle, StatusError};

pub use modules::Modules;
pub use notes::Notes;
pub use result::ResultError;
pub use revoke::{RevokeError, RevokeOptions};
pub use submission::{Checked, Submission, SubmissionBuilder};
pub use submit::{Accepted, SubmitError};
pub use wasmhost_nats::registry::{RegistryError, Version};
pub use wasmhost_nats::{ConnectConfig, ConnectError, Connection, Credentials, JobFilter, ReadError};
pub use wasmhost_protocol as protocol;
pub use watch::States;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
