//! Walking a store from description to description, in the order in which they were stored. No chunk is transferred,
//! and what one step costs does not grow with the store.

use wasmhost_protocol::names::{Names, header};

use super::description::name_of;
use super::error::ObjectError;
use crate::connect::Connection;
use crate::direct;

/// A description that a walk finds.
pub(crate) struct Described {
    /// The sequence of the description in the stream.
    pub(crate) sequence: u64,
    /// The object's name; none where the description's subject has none.
    pub(crate) name: Option<String>,
    /// Whether the server deletes the object after some time.
    pub(crate) expires: bool,
}

/// Finds the first description from `sequence` on.
pub(crate) async fn first(
    connection: &Connection,
    store: &str,
    sequence: u64,
) -> Result<Option<Described>, ObjectError> {
    let stream = Names::stream_of_store(store);
    let filter = Names::object_descriptions_filter(store);
    // A request for one message does not make the server count what matches behind it.
    let found = direct::first(connection, &stream, &filter, sequence).await;
    let found = found.map_err(|error| ObjectError::read(store, error))?;
    Ok(found.map(|message| Described {
        sequence: message.sequence,
        name: name_of(store, &message.subject),
        expires: message.header(header::TTL).is_some(),
    }))
}
