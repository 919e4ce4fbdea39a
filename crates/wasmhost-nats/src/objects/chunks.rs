//! The chunks of one upload, as far as they were read.

use bytes::Bytes;

use super::description::Description;
use crate::connect::Connection;
use crate::direct::page;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// The chunks of one upload, as far as they were read.
#[derive(Default)]
pub(super) struct Chunks {
    /// The subject that they are on; none where the description has no id of chunks.
    subject: Option<String>,
    /// The sequence at which the next read starts.
    from: u64,
    pub(super) parts: Vec<Bytes>,
    pub(super) bytes: u64,
}

impl Chunks {
    /// Expects chunks on this subject, and forgets those that were read from another one.
    pub(super) fn expect(&mut self, subject: Option<String>) {
        if self.subject != subject {
            *self = Self { subject, ..Self::default() };
        }
    }

    /// Reads all chunks behind those that were read, until they have more than `size` bytes.
    pub(super) async fn fetch(
        &mut self,
        connection: &Connection,
        stream: &str,
        size: u64,
    ) -> Result<(), ReadError> {
        let Some(subject) = &self.subject else { return Ok(()) };
        let mut next = Some(self.from);
        while let Some(from) = next {
            let found = page(connection, stream, subject, from).await?;
            for StoredMessage { sequence, payload, .. } in found.messages {
                self.from = sequence + 1;
                self.bytes += payload.len() as u64;
                self.parts.push(payload);
            }
            // The description bounds what is read: anybody with the right may publish more chunks on the subject.
            next = found.next.filter(|_| self.bytes <= size);
        }
        Ok(())
    }

    /// Takes the chunks with the number of their bytes, if they are those that the description names.
    pub(super) fn whole(self, description: &Description) -> Result<(Vec<Bytes>, usize), String> {
        let Description { size, chunks, .. } = description;
        if self.bytes != *size || self.parts.len() as u64 != *chunks {
            let bytes = self.bytes;
            let parts = self.parts.len();
            return Err(format!(
                "{bytes} bytes in {parts} chunks, and {size} in {chunks} by its description"
            ));
        }
        let bytes = self.parts.iter().map(Bytes::len).sum();
        Ok((self.parts, bytes))
    }
}
