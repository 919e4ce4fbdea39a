//! What a compiling child writes to its standard output: sections, each with its length before it. The first one is the
//! artifact; what else is found out about a component follows.

use std::io::{self, Write};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest artifact that is kept.
pub(super) const ARTIFACT_BYTES: usize = 512 << 20;
/// Bytes of all sections together that are taken from a child.
const MOST_BYTES: u64 = ARTIFACT_BYTES as u64 + (16 << 20);

/// Writes one section.
pub(super) fn write(to: &mut impl Write, section: &[u8]) -> io::Result<()> {
    to.write_all(&(section.len() as u64).to_le_bytes())?;
    to.write_all(section)
}

/// Reads all sections to the end, each of them whole.
pub(super) async fn read_all(mut from: impl AsyncRead + Unpin) -> io::Result<Vec<Vec<u8>>> {
    let (mut sections, mut room) = (Vec::new(), MOST_BYTES);
    while let Some(length) = read_length(&mut from).await? {
        room = room.checked_sub(length).ok_or_else(|| io::Error::other("it wrote more than it may"))?;
        let mut section = Vec::new();
        (&mut from).take(length).read_to_end(&mut section).await?;
        if section.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sections.push(section);
    }
    Ok(sections)
}

/// The length of the next section; none at the end.
async fn read_length(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<u64>> {
    let mut length = Vec::with_capacity(size_of::<u64>());
    from.take(size_of::<u64>() as u64).read_to_end(&mut length).await?;
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
