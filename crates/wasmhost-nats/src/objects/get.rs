//! Reading an object: its description, and then as many chunks as that names.

use bytes::{Bytes, BytesMut};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::names::Names;

use super::chunks::Chunks;
use super::description::{self, Description};
use super::error::{ObjectError, bounded, corrupt};
use crate::backoff::Backoff;
use crate::connect::Connection;
use crate::hashing::off_thread;
use crate::read_error::ReadError;

/// How often chunks are read that a replica may not have yet. With the pauses between them, the reads take some
/// seconds.
const READS: u32 = 8;

/// The object that is to be read.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    /// The digest of its bytes. Other bytes under the name are an error.
    pub(crate) digest: &'a Digest,
    /// The most bytes that are read.
    pub(crate) limit: u64,
}

/// Reads the object's bytes. A link is refused, not followed.
pub(crate) async fn get(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<Bytes, ObjectError> {
    let (parts, bytes) = bounded(wanted.name, read(connection, store, wanted)).await?;
    let (bytes, found) = off_thread(bytes, move || {
        let whole = join(parts);
        let found = Digest::of(&whole);
        (whole, found)
    })
    .await;
    if found == *wanted.digest {
        Ok(bytes)
    } else {
        Err(corrupt(wanted.name, format_args!("its digest is {found}")))
    }
}

/// Reads the chunks in order, and counts their bytes.
async fn read(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<(Vec<Bytes>, usize), ObjectError> {
    let stream = Names::stream_of_store(store);
    let mut backoff = Backoff::new();
    let mut reads = 0;
    let mut chunks = Chunks::default();
    loop {
        // Read anew each time: missing chunks may have been deleted with their object, and the name may have other ones
        // by now.
        let description = describe(connection, store, wanted).await?;
        chunks.expect(description.id().map(|id| Names::object_chunks(store, &id)));
        let fetched = chunks.fetch(connection, &stream, description.size).await;
        reads += 1;
        let found = chunks.parts.len() as u64;
        match fetched {
            Ok(()) if found >= description.chunks || chunks.bytes > description.size => {
                return chunks.whole(&description).map_err(|why| corrupt(wanted.name, why));
            }
            Ok(()) if reads == READS => {
                let name = wanted.name.to_owned();
                return Err(ObjectError::Incomplete { name, found, wanted: description.chunks });
            }
            Ok(()) => {}
            // The edge connection may be recreated meanwhile.
            Err(ReadError::Unreachable { .. }) if reads < READS => {}
            Err(error) => return Err(ObjectError::read(wanted.name, error)),
        }
        backoff.wait().await;
    }
}

/// Reads the description, which must be that of an object that may be read.
async fn describe(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<Description, ObjectError> {
    let Wanted { name, limit, .. } = *wanted;
    let stored = description::stored_description(connection, store, name).await?;
    let missing = || ObjectError::Missing(name.to_owned());
    let description = stored.filter(|description| !description.deleted).ok_or_else(missing)?;
    if description.is_link() {
        return Err(ObjectError::Link(name.to_owned()));
    }
    if !description.is_of(store, name) {
        return Err(corrupt(name, "its description is another object's"));
    }
    if description.size > limit {
        return Err(ObjectError::TooLarge { name: name.to_owned(), bytes: description.size, limit });
    }
    Ok(description)
}

fn join(mut parts: Vec<Bytes>) -> Bytes {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    // Each part is freed as soon as it is copied: a large object is not in memory twice.
    for part in parts {
        whole.extend_from_slice(&part);
    }
    whole.freeze()
}
