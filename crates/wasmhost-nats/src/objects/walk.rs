//! From description to description, in the order in which they were stored. What one step costs does not grow with the store, and
//! no chunk is transferred.

use wasmhost_protocol::names::{Names, header};

use super::description::name_of;
use super::error::ObjectError;
use crate::connect::Connection;
use crate::direct;

/// A description that a walk comes by.
pub(crate) struct Described {
    /// Where it stands in the stream.
    pub(crate) sequence: u64,
    /// The object's name; none where the description tells none.
    pub(crate) name: Option<String>,
    /// Whether the server removes it by itself.
    pub(crate) expires: bool,
}

/// The first description from `sequence` on.
pub(crate) async fn first(
    connection: &Connection,
    store: &str,
    sequence: u64,
) -> Result<Option<Described>, ObjectError> {
    let (stream, filter) = (Names::stream_of_store(store), Names::object_descriptions_filter(store));
    let found = direct::first(connection, &stream, &filter, sequence).await;
    let found = found.map_err(|error| ObjectError::read(store, error))?;
    Ok(found.map(|message| Described {
        sequence: message.sequence,
        name: name_of(store, &message.subject),
        expires: message.header(header::TTL).is_some(),
    }))
}
