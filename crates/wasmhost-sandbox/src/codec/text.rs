//! JSON text that grows up to a limit and keeps what fitted.

use std::io;

/// Text up to a limit. Writing more fails, and what fitted stays.
pub(super) struct Text {
    bytes: Vec<u8>,
    limit: usize,
}

impl Text {
    /// No text yet, and at most `limit` bytes of it.
    pub(super) fn up_to(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    /// What was written, cut at a character.
    pub(super) fn into_string(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|error| {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.bytes.len();
        if bytes.is_empty() || room > 0 {
            let fits = &bytes[..bytes.len().min(room)];
            self.bytes.extend_from_slice(fits);
            return Ok(fits.len());
        }
        Err(io::ErrorKind::FileTooLarge.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
