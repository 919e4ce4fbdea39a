//! The headers of a message that is to be sent, in the form in which they are sent.

use crate::headers::{BadHeaders, check_pair};

const VERSION: &str = "NATS/1.0\r\n";

/// The headers of a message that is to be sent. They are written down as they are added, so that sending copies them once.
///
/// ```
/// use nats_wire::HeaderBlock;
///
/// let mut headers = HeaderBlock::default();
/// headers.push("Lang", "en")?;
/// # Ok::<(), nats_wire::BadHeaders>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderBlock {
    /// Lines with their ends; empty without any header.
    lines: String,
    count: usize,
}

impl HeaderBlock {
    /// The headers with these names and values.
    ///
    /// # Errors
    ///
    /// A name or a value has a character that it must not have. The line in the error is the one that the pair would have in a
    /// block: 2 for the first pair.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BadHeaders> {
        let mut block = Self::default();
        for (name, value) in pairs {
            block.push(name, value)?;
        }
        Ok(block)
    }

    /// Adds a header behind the others.
    ///
    /// # Errors
    ///
    /// The name or the value has a character that it must not have.
    pub fn push(&mut self, name: &str, value: &str) -> Result<(), BadHeaders> {
        let value = check_pair(name, value, self.count + 2)?;
        if self.lines.is_empty() {
            self.lines.reserve(256);
            self.lines.push_str(VERSION);
        }
        for part in [name, ": ", value, "\r\n"] {
            self.lines.push_str(part);
        }
        self.count += 1;
        Ok(())
    }

    /// Whether there is no header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first line and those of the headers, without the empty line that ends the block.
    pub(crate) fn lines(&self) -> &str {
        &self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Headers;

    #[test]
    fn what_is_sent_is_read() {
        let mut block = HeaderBlock::of([("A", "1"), ("A", " zwei ")]).unwrap();
        block.push("B", "x: y").unwrap();
        let read = Headers::parse(format!("{}\r\n", block.lines()).as_bytes()).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [("A", "1"), ("A", "zwei"), ("B", "x: y")]);
    }

    #[test]
    fn what_would_end_a_line_is_refused_and_leaves_nothing() {
        let mut block = HeaderBlock::of([("A", "1")]).unwrap();
        let before = block.clone();
        assert_eq!(block.push("B", "x\r\nC: y"), Err(BadHeaders::Value { line: 3, byte: b'\r' }));
        assert_eq!(block.push("B C", "x"), Err(BadHeaders::Name { line: 3 }));
        assert_eq!(block, before);
        assert!(!block.is_empty() && HeaderBlock::default().is_empty());
    }
}
