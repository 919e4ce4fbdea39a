//! The form of what a compiling child writes to its standard output: sections, each after its length. The first section
//! is the artifact; a later version of the child may write more.

use std::io::{self, Write};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest artifact that a child may make, in bytes.
pub(super) const ARTIFACT_BYTES: usize = 512 << 20;
/// The most that all sections may have together, in bytes; a child that writes more is ended.
const OUTPUT_BYTES: u64 = ARTIFACT_BYTES as u64 + (16 << 20);

/// Writes one section.
pub(super) fn write(output: &mut impl Write, section: &[u8]) -> io::Result<()> {
    output.write_all(&(section.len() as u64).to_le_bytes())?;
    output.write_all(section)
}

/// Reads all sections to the end of the output; one that is cut off is an error.
pub(super) async fn read_all(mut output: impl AsyncRead + Unpin) -> io::Result<Vec<Vec<u8>>> {
    let mut sections = Vec::new();
    let mut bytes_left = OUTPUT_BYTES;
    while let Some(length) = read_length(&mut output).await? {
        bytes_left =
            bytes_left.checked_sub(length).ok_or_else(|| io::Error::other("it wrote more than it may"))?;
        // The buffer grows with what comes, and not by a length that the child only claims.
        let mut section = Vec::new();
        (&mut output).take(length).read_to_end(&mut section).await?;
        if section.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sections.push(section);
    }
    Ok(sections)
}

/// Reads the length of the next section; none at the end of the output.
async fn read_length(output: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<u64>> {
    let mut length = Vec::with_capacity(size_of::<u64>());
    output.take(size_of::<u64>() as u64).read_to_end(&mut length).await?;
    if length.is_empty() {
        return Ok(None);
    }
    let length = length.try_into().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    Ok(Some(u64::from_le_bytes(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sections_are_read_back_and_none_that_is_cut_off() {
        let mut written = Vec::new();
        write(&mut written, b"artifact").unwrap();
        write(&mut written, b"").unwrap();
        assert_eq!(read_all(&*written).await.unwrap(), [&b"artifact"[..], b""]);
        for end in (1..16).chain(17..24) {
            assert!(read_all(&written[..end]).await.is_err(), "{end}");
        }
        assert!(read_all(&[0xff; 32][..]).await.is_err(), "a length that no section has");
    }
}
