//! Reading an object: its description, then its chunks, as many as that tells of.

use bytes::{Bytes, BytesMut};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::names::Names;

use super::description::{self, Description};
use super::error::{ObjectError, bounded, corrupt};
use crate::backoff::Backoff;
use crate::connect::Connection;
use crate::direct::page;
use crate::hashing::off_thread;
use crate::message::ReadError;
use crate::stored::StoredMessage;

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

/// The chunks of one upload, as far as they were read.
#[derive(Default)]
struct Chunks {
    /// None: the description names no place for any.
    subject: Option<String>,
    from: u64,
    parts: Vec<Bytes>,
    bytes: u64,
}

impl Chunks {
    /// Begins anew where the chunks stand elsewhere than those that were read.
    fn of(&mut self, subject: Option<String>) {
        if self.subject != subject {
            *self = Self { subject, ..Self::default() };
        }
    }

    /// All that are there behind those that were read, until they have more than `size` bytes.
    async fn fetch(&mut self, connection: &Connection, stream: &str, size: u64) -> Result<(), ReadError> {
        let Some(subject) = &self.subject else { return Ok(()) };
        let mut next = Some(self.from);
        while let Some(from) = next {
            let found = page(connection, stream, subject, from).await?;
            for StoredMessage { sequence, payload, .. } in found.messages {
                self.from = sequence + 1;
                self.bytes += payload.len() as u64;
                self.parts.push(payload);
            }
            next = found.next.filter(|_| self.bytes <= size);
        }
        Ok(())
    }

    /// All chunks, where they are those that the description tells of.
    fn whole(self, told: &Description) -> Result<(Vec<Bytes>, usize), String> {
        if self.bytes != told.size || self.parts.len() as u64 != told.chunks {
            let Description { size, chunks, .. } = told;
            let (bytes, parts) = (self.bytes, self.parts.len());
            return Err(format!(
                "{bytes} bytes in {parts} chunks, and {size} in {chunks} by its description"
            ));
        }
        let bytes = self.parts.iter().map(Bytes::len).sum();
        Ok((self.parts, bytes))
    }
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
