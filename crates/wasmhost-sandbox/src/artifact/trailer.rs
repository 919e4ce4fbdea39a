//! The end of an artifact: the component's description as JSON, and after it the length of the JSON. It is at the end
//! since the engine maps the code from the beginning of the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::description::Description;

/// The size of the length at the end, in bytes.
const LENGTH_BYTES: usize = size_of::<u64>();

/// Appends a description to the code in `artifact`.
pub(super) fn append(artifact: &mut Vec<u8>, description: &Description) -> serde_json::Result<()> {
    let code_bytes = artifact.len();
    serde_json::to_writer(&mut *artifact, description)?;
    let length = (artifact.len() - code_bytes) as u64;
    artifact.extend_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Reads the description of an artifact that has so many bytes; none where the artifact is cut off.
pub(super) fn read(artifact: &(impl ReadAt + ?Sized), bytes: u64) -> Option<Description> {
    let description_end = bytes.checked_sub(LENGTH_BYTES as u64)?;
    let mut length = [0; LENGTH_BYTES];
    artifact.read_at(&mut length, description_end).ok()?;
    let length = u64::from_le_bytes(length);
    // A length beyond the artifact means that the end is cut off, and other bytes stand where the length should be.
    let description_start = description_end.checked_sub(length)?;
    let mut json = vec![0; usize::try_from(length).ok()?];
    artifact.read_at(&mut json, description_start).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Bytes that can be read from any offset.
pub(super) trait ReadAt {
    /// Fills the buffer with the bytes from `offset` on, or fails.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.get(start..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}
