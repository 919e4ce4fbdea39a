//! Bytes in an object store: whole, bounded, checked against their digest. Laid out as all clients of NATS lay them out, and
//! read without a consumer: the description from the stream's leader, the chunks directly.

mod chunks;
mod delete;
mod description;
mod error;
mod get;
mod object;
mod put;
mod send_chunks;
mod upload;
mod walk;

pub(crate) use delete::delete;
pub use error::ObjectError;
pub(crate) use get::{Wanted, get};
pub(crate) use object::{Object, Readers};
pub(crate) use put::put;
pub(crate) use walk::first;
