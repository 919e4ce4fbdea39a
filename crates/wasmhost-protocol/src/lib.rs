//! The protocol of wasmhost as types and pure functions: the names on NATS, the record of a job, which write
//! of a record is legal, and what hosts and clients decide.
//!
//! Nothing here does I/O or reads a clock. Times and random ids are arguments, so that one exhaustive model
//! covers the code that hosts and clients run. The rules and their reasons are in
//! [protocol.md](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md), the words in the
//! [glossary](https://github.com/wasmhost/wasmhost/blob/main/docs/glossary.md).
//!
//! | to | module |
//! |---|---|
//! | parse names, ids and digests where they come in | [`ids`], [`digest`] |
//! | read and write times and durations | [`timestamp`], [`duration`] |
//! | pass JSON on as it was written | [`json`] |
//! | tell whether two submissions have the same arguments | [`arguments`] |
//! | show what strangers wrote, and name what was probably meant | [`text`] |
//! | know the least and the most of what may be asked for | [`bounds`] |
//! | build and parse subjects, streams and buckets | [`names`] |
//! | read and write the headers of a job | [`headers`] |
//! | say what an attempt may use, and how it is retried | [`policy`] |
//! | say what an attempt produced | [`outcome`] |
//! | read and write the record of a job | [`record`] |
//! | find the record that follows a write, or why none does | [`machine`] |
//! | decide about deliveries, outcomes and writes without an answer | [`rules`] |
//! | name the kinds of dead-letter copies | [`dead_letter`] |
//! | read and write log lines | [`log`] |
//! | describe modules and hosts | [`manifest`], [`presence`] |
//! | talk to the services `submit`, `status` and `revoke` | [`service`] |
//!
//! A client records a job before it publishes the job's message:
//!
//! ```
//! use wasmhost_protocol::ids::{JobKey, QueueName};
//! use wasmhost_protocol::machine::{IllegalTransition, JobSpec, Transition, WriteIntent, Writer, transition};
//! use wasmhost_protocol::names::{Names, Namespace};
//! use wasmhost_protocol::record::{Record, StateLabel, WriteId};
//! use wasmhost_protocol::timestamp::Timestamp;
//!
//! let key = JobKey::parse("thumbs.resize.my-1")?;
//! let now = Timestamp::parse("2026-01-31T12:00:00Z")?;
//! let job = JobSpec {
//!     key: key.clone(),
//!     queue: QueueName::default_queue(),
//!     submitted_at: now,
//!     not_before: None,
//!     expires_at: None,
//!     max_attempts: Some(3),
//!     args_digest: None,
//!     digest: None,
//!     parent: None,
//!     notify: None,
//!     after: None,
//! };
//! let write = WriteId::from_random(0x1234);
//! let intent = WriteIntent { transition: Transition::Submit(job), writer: Writer::Client, now, write };
//!
//! // There is no record yet, so that the write expects revision 0 on this subject.
//! let names = Names::new(&Namespace::default());
//! assert_eq!(names.state_subject(&key), "$KV.wasmhost-states.thumbs.resize.my-1");
//! let record = transition(None, &intent)?;
//! assert_eq!(record.label(), StateLabel::Pending);
//! assert_eq!(Record::from_bytes(&record.to_bytes())?, record);
//!
//! // A second submission under the same id is refused.
//! assert_eq!(transition(Some(&record), &intent), Err(IllegalTransition::Exists(StateLabel::Pending)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod arguments;
pub mod digest;
mod digits;
pub mod duration;
pub mod ids;
pub mod json;
pub mod text;
pub mod timestamp;

pub mod bounds;
pub mod headers;
pub mod names;

pub mod dead_letter;
pub mod log;
pub mod outcome;
pub mod policy;
pub mod record;

pub mod machine;
pub mod rules;

pub mod manifest;
pub mod presence;
pub mod service;

#[cfg(test)]
mod model;
