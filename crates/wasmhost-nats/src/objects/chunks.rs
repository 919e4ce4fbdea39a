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
    /// None: the description names no place for any.
    subject: Option<String>,
    from: u64,
    pub(super) parts: Vec<Bytes>,
    pub(super) bytes: u64,
}

impl Chunks {
    /// Begins anew where the chunks stand elsewhere than those that were read.
    pub(super) fn of(&mut self, subject: Option<String>) {
        if self.subject != subject {
            *self = Self { subject, ..Self::default() };
        }
    }

    /// All that are there behind those that were read, until they have more than `size` bytes.
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
            next = found.next.filter(|_| self.bytes <= size);
        }
        Ok(())
    }

    /// All chunks, where they are those that the description tells of.
    pub(super) fn whole(self, told: &Description) -> Result<(Vec<Bytes>, usize), String> {
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
