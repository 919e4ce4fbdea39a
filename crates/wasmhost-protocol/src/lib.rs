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
mod state;
mod wire;

mod claim;
mod decide;
mod leftover;
mod machine;
mod missing_job;
mod resolve_write;
mod sourced;
mod stored_entry;

mod presence;
pub mod service;

pub use bounds::{Bounds, OutOfBounds};
pub use canonical::canonical;
pub use claim::{ClaimDecision, ClaimInput, decide_claim};
pub use decide::{Attempt, Decision, decide};
pub use digest::{Digest, InvalidDigest};
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use error::{ErrorKind, JobError};
pub use headers::{BadHeader, HeaderScope, JobOptions};
pub use ids::{FunctionName, HostId, InvalidName, JobId, JobKey, ModuleName, QueueName, StateName, TaskName};
pub use json::{InvalidJson, Json};
pub use leftover::{Ages, Leftover, leftover};
pub use machine::{
    CLAIM_CLOCK_TOLERANCE, Claim, Illegal, JobSpec, Transition, WriteIntent, Writer, transition,
};
pub use manifest::{Manifest, ManifestTask, ModuleEntry, RefusedFunction};
pub use missing_job::end_missing_job;
pub use names::{ChunksId, JobSubject, Names, Namespace, Right, Way, header};
pub use nearest::{known_names, nearest};
pub use outcome::{Fault, Limit, Outcome, Verdict};
pub use policy::{BadPolicy, Beside, Ceiling, Limits, Over, Policy, RetryPolicy};
pub use presence::HostPresence;
pub use record::{BlobRef, DeliveryOrdinal, Payload, Record, Revoke, Token, Usage, WriteId};
pub use resolve_write::{WriteResolution, resolve_write, still_owned};
pub use size::format_size;
pub use sourced::Sourced;
pub use state::{End, JobState, RunningLabel, StateLabel};
pub use stored_entry::{Marker, StoredEntry};
pub use text::{cut_middle, escape, escape_lines, is_unseen, truncate};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use unknown::UnknownTask;
pub use wire::{RECORD_VERSION, RecordError};
