//! The job protocol on a NATS server, with all mechanics of JetStream: connecting, the streams and buckets that a
//! deployment needs, records that change only by compare-and-set, events, deliveries, the module registry and blobs. It
//! decides nothing about jobs: what is legal and what follows is decided in `wasmhost-protocol`, and when anything is
//! done in the client and the host.
//!
//! | area | modules |
//! |---|---|
//! | connections: one for records, one for what strangers send, one for settings and logs | `connect`, `credentials`, `servers`, `edge`, `denials` |
//! | one message: requests to JetStream, and what its error codes mean | `api`, [`codes`], `fixes`, `message`, `publication`, `stored`, `streams`, `direct` |
//! | the deployment: what it needs, and what its user may do | `layout`, `rights` |
//! | records: [`Records`], and the [`Event`]s of their revisions | `records`, `events` |
//! | messages of jobs | [`jobs`], [`schedules`], `due`, `locate` |
//! | deliveries: asking for them, and answering them | [`pull`], `delivered` |
//! | bytes: modules and blobs | [`registry`], [`blobs`], `objects`, `hashing` |
//! | the rest of the deployment | [`dead_letters`], [`hosts`], [`election`], `outgoing` |
//! | the process itself: its clock, random ids, faults for tests | `clock`, `ids`, [`fault`], `backoff`, `limited` |
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

mod backoff;
mod clock;
pub mod fault;
mod ids;
mod limited;

mod connect;
mod credentials;
mod denials;
mod edge;
mod servers;
mod sign_in;

mod api;
pub mod codes;
mod direct;
mod fixes;
mod message;
mod publication;
mod publish_failure;
mod read_error;
mod stored;
mod streams;

mod layout;
mod rights;

mod events;
mod records;

mod due;
pub mod jobs;
mod locate;
pub mod schedules;

mod delivered;
mod outgoing;
pub mod pull;

pub mod blobs;
mod hashing;
mod objects;
pub mod registry;

pub mod dead_letters;
pub mod election;
pub mod hosts;

pub use backoff::Backoff;
pub use clock::now;
pub use connect::{ANSWER_TIMEOUT, ConnectConfig, ConnectError, Connection, MINIMUM_SERVER};
pub use credentials::Credentials;
pub use delivered::{Answer, Delivered, NotDelivered};
pub use due::{discard_due, due_at, due_of, next_due, remove_due};
pub use events::{Event, Heard, SubscribeError, subscribe, subscribe_all};
pub use ids::{random_token, random_write_id};
pub use jobs::{PublishError, Published, message_at, message_of, publish_job};
pub use layout::{
    Difference, LayoutConfig, LayoutError, MIN_PAYLOAD, Problem, QueueConsumer, ensure_consumer,
    ensure_deployment, ensure_layout, inspect_consumer, restore_consumer,
};
pub use limited::Limit;
pub use locate::{MessageCounts, MessageLocation, count_messages, locate_message};
pub use message::{read_message, read_next_message};
pub use outgoing::SendError;
pub use read_error::ReadError;
pub use records::{
    BucketPart, EndNotice, JobFilter, OwnedWrite, Records, Revision, SET_UP_WITHIN, Told, WriteError, Written,
};
pub use registry::RegistryView;
pub use rights::{RightsError, check_rights};
pub use servers::{BadAddress, check_url};
pub use stored::StoredMessage;
pub use streams::{StreamState, stream_state};
