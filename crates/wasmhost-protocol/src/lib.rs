//! The vocabulary of wasmhost, without any I/O and without a clock: what things are called, what a record says, which
//! transitions are legal and what follows from an outcome.
//!
//! ```
//! use wasmhost_protocol::ids::JobKey;
//! use wasmhost_protocol::names::{Names, Namespace};
//!
//! let names = Names::new(&Namespace::default());
//! let key = JobKey::parse("thumbs.resize.0198f2a0")?;
//! assert_eq!(names.state_subject(&key), "$KV.wasmhost-states.thumbs.resize.0198f2a0");
//! # Ok::<(), wasmhost_protocol::ids::InvalidName>(())
//! ```

pub mod arguments;
pub mod digest;
pub mod duration;
pub mod ids;
pub mod json;
pub mod text;
pub mod timestamp;

pub mod bounds;
pub mod headers;
pub mod names;

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
