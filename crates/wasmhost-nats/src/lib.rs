//! The protocol on a real NATS server: connect, wanted streams and buckets, records that change only by
//! compare-and-set, events, the queue's messages, the module registry and blobs. It decides nothing about jobs.
//!
//! ```no_run
//! use wasmhost_nats::{ConnectConfig, Connection, LayoutConfig, Records, ensure_layout};
//! use wasmhost_protocol::JobKey;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = Connection::open(&ConnectConfig::new("nats://127.0.0.1:4222")).await?;
//! ensure_layout(&connection, &LayoutConfig::default()).await?;
//! let standing = Records::new(&connection).read(&JobKey::parse("thumbs.resize.1")?).await?;
//! println!("the next write must expect revision {}", standing.expected());
//! # Ok(())
//! # }
//! ```

mod backoff;
mod clock;
mod random;

pub mod codes;
mod connect;
mod denials;
pub mod fault;
mod message;
mod replay;
mod servers;

mod layout;

mod events;
mod records;

mod due;
pub mod jobs;
pub mod schedules;
mod whereabouts;

pub mod blobs;
mod objects;
pub mod registry;

pub mod dead;
pub mod hosts;

pub use clock::now;
pub use connect::{ANSWER_TIMEOUT, ConnectConfig, ConnectError, Connection, Credentials, MINIMUM_SERVER};
pub use due::{discard_due, due_at, due_of, next_due, remove_due};
pub use events::{Event, SubscribeError, subscribe, subscribe_all};
pub use jobs::{PublishError, Published, QueuedMessage, message_at, message_of, publish_job};
pub use layout::{
    Difference, LayoutConfig, LayoutError, QueueConsumer, ensure_consumer, ensure_layout, look_at_consumer,
    restore_consumer,
};
pub use message::{ReadError, header_pairs};
pub use random::{digest_of, random_token, random_write};
pub use records::{JobFilter, LookLimits, OwnedWrite, Records, Unended, WriteError, Written};
pub use registry::RegistryView;
pub use whereabouts::{Whereabouts, whereabouts};
