//! A buffer for JSON text that grows up to a limit.

use std::io;

/// Text up to a limit. A write beyond the limit fails, and what fitted stays.
pub(super) struct BoundedText {
    bytes: Vec<u8>,
    limit: usize,
}

impl BoundedText {
    /// An empty text that may grow to `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    /// What was written, without a character that the limit cut in two.
    pub(super) fn into_string(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|error| {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
}

impl io::Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.limit - self.bytes.len();
        if bytes.is_empty() || left > 0 {
            let fits = &bytes[..bytes.len().min(left)];
            self.bytes.extend_from_slice(fits);
            return Ok(fits.len());
        }
        Err(io::ErrorKind::FileTooLarge.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
