//! The vocabulary of wasmhost, without any I/O and without a clock: what things are called, what a record says, which
//! transitions are legal and what follows from an outcome.
//!
//! ```
//! use wasmhost_protocol::{JobKey, Names, Namespace};
//!
//! let names = Names::new(&Namespace::default());
//! let key = JobKey::parse("thumbs.resize.0198f2a0")?;
//! assert_eq!(names.state_subject(&key), "$KV.wasmhost-states.thumbs.resize.0198f2a0");
//! # Ok::<(), wasmhost_protocol::InvalidName>(())
//! ```

mod canonical;
mod digest;
mod duration;
mod ids;
mod json;
mod names;
mod nearest;
mod size;
mod text;
mod timestamp;
mod unknown;

pub mod bounds;
mod headers;
mod manifest;
mod policy;

mod error;
mod outcome;
mod record;
mod stage;
mod wire;

mod decide;
mod fate;
mod gone;
mod judge;
mod leftover;
mod machine;
mod sourced;
mod standing;

mod presence;
pub mod service;

pub use bounds::{Bounds, OutOfBounds};
pub use canonical::canonical;
pub use decide::{Attempt, Decision, decide};
pub use digest::{Digest, InvalidDigest};
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use error::{ErrorKind, JobError};
pub use fate::{Fate, fate, still_owned};
pub use gone::end_of_gone;
pub use headers::{BadHeader, JobOptions, Place};
pub use ids::{FunctionName, HostId, InvalidName, JobId, JobKey, ModuleName, QueueName, StateName, TaskName};
pub use json::{InvalidJson, Json};
pub use judge::{Case, Judgement, judge};
pub use leftover::{Ages, Leftover, leftover};
pub use machine::{Change, Claim, EARLY, Event, Illegal, Submission, Writer, next};
pub use manifest::{Manifest, ManifestTask, ModuleEntry, RefusedFunction};
pub use names::{ChunksId, JobSubject, Names, Namespace, Right, Way, header};
pub use nearest::{known_names, nearest};
pub use outcome::{Fault, Limit, Outcome, Verdict};
pub use policy::{BadPolicy, Beside, Ceiling, Limits, Over, Policy, RetryPolicy};
pub use presence::HostPresence;
pub use record::{BlobRef, Delivery, Payload, Record, Revoke, Token, Usage, WriteId};
pub use size::format_size;
pub use sourced::Sourced;
pub use stage::{End, Shown, Stage, State};
pub use standing::{Marker, Standing};
pub use text::{cut_middle, escape, escape_lines, is_unseen, truncate};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use unknown::UnknownTask;
pub use wire::{RECORD_VERSION, RecordError};
