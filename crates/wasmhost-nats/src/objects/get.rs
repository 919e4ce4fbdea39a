//! Reading an object: its description, then its chunks, as many as that tells of.

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

/// Looks for chunks that a replica does not have yet, longer and longer apart: some seconds in all.
const LOOKS: u32 = 8;

/// What is read: by name, and only with this digest.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) digest: &'a Digest,
    pub(crate) limit: u64,
}

/// The object's bytes. Links are refused, not followed.
pub(crate) async fn get(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<Bytes, ObjectError> {
    let (parts, bytes) = bounded(wanted.name, read(connection, store, wanted)).await?;
    // Megabytes are put together and hashed on another thread: what waits on this one, such as beats, goes on.
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

/// The chunks in order, and how many bytes they have.
async fn read(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<(Vec<Bytes>, usize), ObjectError> {
    let (mut backoff, mut looks) = (Backoff::new(), 0);
    let mut chunks = Chunks::default();
    loop {
        // Read anew each time: chunks that are not there may be gone with their object, or be of another one by now.
        let description = describe(connection, store, wanted).await?;
        chunks.of(description.id().map(|id| Names::object_chunks(store, &id)));
        let fetched = chunks.fetch(connection, &Names::stream_of_store(store), description.size).await;
        looks += 1;
        let found = chunks.parts.len() as u64;
        match fetched {
            Ok(()) if found >= description.chunks || chunks.bytes > description.size => {
                return chunks.whole(&description).map_err(|why| corrupt(wanted.name, why));
            }
            Ok(()) if looks == LOOKS => {
                let (name, wanted) = (wanted.name.to_owned(), description.chunks);
                return Err(ObjectError::Incomplete { name, found, wanted });
            }
            Ok(()) => {}
            // The second connection may be on its way back.
            Err(ReadError::Unreachable { .. }) if looks < LOOKS => {}
            Err(error) => return Err(ObjectError::read(wanted.name, error)),
        }
        backoff.wait().await;
    }
}

/// The description, where it is one of an object that may be read.
async fn describe(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<Description, ObjectError> {
    let Wanted { name, limit, .. } = *wanted;
    let stored = description::stored_chunks(connection, store, name).await?;
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
    // Each goes as soon as it is copied.
    for part in parts {
        whole.extend_from_slice(&part);
    }
    whole.freeze()
}
