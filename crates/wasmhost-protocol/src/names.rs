//! Every subject, stream, bucket, key and header that wasmhost uses on NATS, derived from one namespace. No
//! other source file spells one. Names are built only from parsed parts, so that no wildcard reaches the
//! server except in the filters. The names are listed in
//! [names.md](https://github.com/wasmhost/wasmhost/blob/main/docs/names.md).

pub mod ack;
mod api;
mod deployment;
pub mod header;
mod jobs;
mod namespace;
mod objects;
mod rights;
mod schedule_origin;
mod schedules;
mod service;
#[cfg(test)]
mod tests;

pub use deployment::Names;
pub use jobs::JobSubject;
pub use namespace::Namespace;
pub use objects::ChunksId;
pub use rights::{Access, Right};
pub use schedule_origin::ScheduleOrigin;
