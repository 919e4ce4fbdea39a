//! Every NATS subject, stream, bucket, key and header string there is, derived from one namespace: here and in `names/`. No
//! other source file spells one. Names come only from parsed parts, so that no wildcard reaches the server but in the
//! filters.

pub mod ack;
mod api;
mod deployment;
pub mod header;
mod jobs;
mod namespace;
mod objects;
mod rights;
mod schedules;
mod service;
mod sourced;
#[cfg(test)]
mod tests;

pub use deployment::Names;
pub use jobs::JobSubject;
pub use namespace::Namespace;
pub use objects::ChunksId;
pub use rights::{Right, Way};
pub use sourced::Sourced;
