//! The protocol on a real NATS server: connect, wanted streams and buckets, records that change only by
//! compare-and-set, events, the queue's messages, the module registry and blobs. It decides nothing about jobs.
//!
//! ```no_run
//! use wasmhost_nats::{ConnectConfig, Connection, LayoutConfig, Records, ensure_layout};
//! use wasmhost_protocol::ids::JobKey;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = Connection::open(&ConnectConfig::new("nats://127.0.0.1:4222")).await?;
//! ensure_layout(&connection, &LayoutConfig::default()).await?;
//! let stored = Records::new(&connection).read(&JobKey::parse("thumbs.resize.1")?).await?;
//! println!("the next write must expect revision {}", stored.expected());
//! # Ok(())
//! # }
//! ```

mod api;
mod backoff;
mod clock;
mod hashing;
mod ids;

pub mod codes;
mod connect;
mod credentials;
mod denials;
mod edge;
pub mod fault;
mod fixes;
mod limited;
mod message;
mod publish_failure;
mod read_error;
mod servers;
mod stored;

mod delivered;
mod direct;
mod outgoing;
pub mod pull;
mod streams;

mod layout;
mod rights;

mod events;
mod records;

mod due;
pub mod jobs;
mod locate;
pub mod schedules;

pub mod blobs;
mod objects;
pub mod registry;

pub mod dead;
pub mod hosts;

pub use backoff::Backoff;
pub use clock::now;
pub use connect::{ANSWER_TIMEOUT, ConnectConfig, ConnectError, Connection, MINIMUM_SERVER};
pub use credentials::Credentials;
pub use delivered::{Answer, Delivered, NotDelivered};
pub use due::{discard_due, due_at, due_of, next_due, remove_due};
pub use events::{Event, Heard, SubscribeError, subscribe, subscribe_all};
pub use hashing::digest_of;
pub use ids::{random_token, random_write};
pub use jobs::{PublishError, Published, message_at, message_of, publish_job};
pub use layout::{
    Difference, LEAST_PAYLOAD, LayoutConfig, LayoutError, Problem, QueueConsumer, ensure_consumer,
    ensure_deployment, ensure_layout, inspect_consumer, restore_consumer,
};
pub use limited::Limit;
pub use locate::{MessageLocation, locate_message};
pub use message::{stored_at, stored_from};
pub use outgoing::SendError;
pub use read_error::ReadError;
pub use records::{
    JobFilter, NonTerminal, OwnedWrite, Records, SET_UP_WITHIN, ScanLimits, WriteError, Written,
};
pub use registry::RegistryView;
pub use rights::{RightsError, check_rights};
pub use servers::{BadAddress, check_url};
pub use stored::StoredMessage;

pub use wasmhost_protocol::arguments::{args_digest as args_digest_of, is_args_digest as is_args_digest_of};
