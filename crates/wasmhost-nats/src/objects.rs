//! Objects: bytes in an object store, which are read whole, up to a bound, and checked against their digest. They are
//! laid out as all clients of NATS lay them out, and are read without a consumer: the description from the stream's
//! leader, the chunks by direct reads.

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
