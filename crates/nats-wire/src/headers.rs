//! The headers of a message, parsed strictly: `NATS/1.0`, lines of a name, a colon and a value, and an empty line. A block
//! that breaks a rule is an error and is never guessed at, because two readers that guess differently would act on two
//! different messages.

use std::fmt;
use std::str;

use memchr::memrchr;

/// The headers of a message in their order. A name may come more than once.
///
/// ```
/// use nats_wire::Headers;
///
/// let headers = Headers::parse(b"NATS/1.0\r\nLang: en\r\n\r\n")?;
/// assert_eq!(headers.get("Lang"), Some("en"));
/// # Ok::<(), nats_wire::BadHeaders>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    status: Option<u16>,
    description: Option<String>,
    /// The names and values, one behind the other.
    text: String,
    /// Where each name and its value end in the text.
    ends: Vec<(usize, usize)>,
}

/// Why a block of headers cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHeaders {
    /// The block is longer than [`Headers::MAX_BYTES`].
    #[error("they have {bytes} bytes, more than {}", Headers::MAX_BYTES)]
    TooLong {
        /// The length of the block.
        bytes: usize,
    },
    /// The block is not UTF-8.
    #[error("byte {at} is not UTF-8")]
    NotUtf8 {
        /// The first byte that is not UTF-8, counted from 0.
        at: usize,
    },
    /// The first line is neither `NATS/1.0` nor `NATS/1.0` with a status.
    #[error("the first line is not `NATS/1.0`")]
    Version,
    /// The first line has a status that is not three digits.
    #[error("the first line has a status that is not three digits")]
    Status,
    /// A line does not end in CR LF, or no empty line ends the block.
    #[error("line {line} does not end in CR LF, or no empty line ends the headers")]
    Unended {
        /// The line, counted from 1.
        line: usize,
    },
    /// Bytes follow the empty line that ends the headers.
    #[error("{bytes} bytes stand behind the empty line that ends the headers")]
    Trailing {
        /// How many bytes follow.
        bytes: usize,
    },
    /// A line has no colon.
    #[error("line {line} has no colon")]
    NoColon {
        /// The line, counted from 1.
        line: usize,
    },
    /// A name is empty, or has a character that is not visible ASCII.
    #[error("the name in line {line} is empty, or has a character that no name may have")]
    Name {
        /// The line, counted from 1.
        line: usize,
    },
    /// A value has a control character.
    #[error("the value in line {line} has a control character: byte {byte:#04x}")]
    Value {
        /// The line, counted from 1.
        line: usize,
        /// The first control character.
        byte: u8,
    },
}

const VERSION: &str = "NATS/1.0";

impl Headers {
    /// The longest block that is parsed: twice the limit that is usual for web servers.
    pub const MAX_BYTES: usize = 16 << 10;

    /// Headers with these names and values.
    ///
    /// # Errors
    ///
    /// A name or a value has a character that it must not have. The line in the error is the one that the pair would have in a
    /// block: 2 for the first pair.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BadHeaders> {
        let mut headers = Self::default();
        for (at, (name, value)) in pairs.into_iter().enumerate() {
            headers.push(name, check_pair(name, value, at + 2)?);
        }
        Ok(headers)
    }

    /// Parses a whole block, as it comes between the first line of a message and its payload.
    ///
    /// # Errors
    ///
    /// The block breaks a rule.
    pub fn parse(block: &[u8]) -> Result<Self, BadHeaders> {
        if block.len() > Self::MAX_BYTES {
            return Err(BadHeaders::TooLong { bytes: block.len() });
        }
        let text = str::from_utf8(block).map_err(|error| BadHeaders::NotUtf8 { at: error.valid_up_to() })?;
        let rest = text.strip_prefix(VERSION).ok_or(BadHeaders::Version)?;
        let (first, mut rest) = line(rest, 1)?;
        let mut headers = Self { text: String::with_capacity(rest.len()), ..Self::default() };
        headers.read_status(first)?;
        let mut number = 2;
        loop {
            let (text, behind) = line(rest, number)?;
            rest = behind;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or(BadHeaders::NoColon { line: number })?;
            headers.push(name, check_pair(name, value, number)?);
            number += 1;
        }
        if rest.is_empty() { Ok(headers) } else { Err(BadHeaders::Trailing { bytes: rest.len() }) }
    }

    /// Parses the lines at the end of a block that keep the rules, whatever comes before them. A server appends its own
    /// headers to those of a message that it republishes, so that they can be read even where the publisher's cannot. Bytes of
    /// values that are not UTF-8 are replaced by U+FFFD.
    #[must_use]
    pub fn ending(block: &[u8]) -> Self {
        let mut rest = block.strip_suffix(b"\r\n\r\n").unwrap_or_default();
        let mut lines = Vec::new();
        // The first line of the block has no line end before it, and so is never read as a header.
        while let Some(at) = memrchr(b'\n', rest).filter(|at| rest[..*at].ends_with(b"\r")) {
            let line = String::from_utf8_lossy(&rest[at + 1..]);
            let Some((name, value)) = line.split_once(':') else { break };
            let Ok(value) = check_pair(name, value, 0) else { break };
            lines.push((name.to_owned(), value.to_owned()));
            rest = &rest[..at - 1];
        }
        let mut headers = Self::default();
        for (name, value) in lines.iter().rev() {
            headers.push(name, value);
        }
        headers
    }

    fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    fn pair(&self, index: usize) -> (&str, &str) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
        let (name_end, end) = self.ends[index];
        (&self.text[start..name_end], &self.text[name_end..end])
    }

    fn read_status(&mut self, behind_version: &str) -> Result<(), BadHeaders> {
        if behind_version.is_empty() {
            return Ok(());
        }
        let text = behind_version.strip_prefix(' ').ok_or(BadHeaders::Version)?;
        let (digits, description) = text.split_once(' ').unwrap_or((text, ""));
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadHeaders::Status);
        }
        if let Some(byte) = control(description) {
            return Err(BadHeaders::Value { line: 1, byte });
        }
        self.status = digits.parse().ok();
        self.description = Some(description.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(())
    }

    /// The status of the first line. Only the server's own answers have one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The text after the status.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The first value of a name. The letter case must match.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The last value of a name. It is the server's own where a publisher wrote the same name.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&str> {
        self.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All names and values in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> + Clone {
        (0..self.ends.len()).map(|index| self.pair(index))
    }

    /// Whether there are no headers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Writes the block that parses back into these headers.
impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        if let Some(status) = self.status {
            write!(f, " {status:03}")?;
        }
        if let Some(description) = &self.description {
            write!(f, " {description}")?;
        }
        f.write_str("\r\n")?;
        for (name, value) in self.iter() {
            write!(f, "{name}: {value}\r\n")?;
        }
        f.write_str("\r\n")
    }
}

/// The next line without its end, and the text after it.
fn line(text: &str, number: usize) -> Result<(&str, &str), BadHeaders> {
    // A lone CR or LF is no part of a value: a reader that takes it for a line end would see other headers.
    let end = text.find(['\r', '\n']).ok_or(BadHeaders::Unended { line: number })?;
    let behind = text[end..].strip_prefix("\r\n").ok_or(BadHeaders::Unended { line: number })?;
    Ok((&text[..end], behind))
}

/// The value without the white space around it, where name and value may stand in a header.
pub(crate) fn check_pair<'v>(name: &str, value: &'v str, line: usize) -> Result<&'v str, BadHeaders> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        return Err(BadHeaders::Name { line });
    }
    let value = value.trim_matches([' ', '\t']);
    match control(value) {
        Some(byte) => Err(BadHeaders::Value { line, byte }),
        None => Ok(value),
    }
}

/// The first control character but the tab.
fn control(text: &str) -> Option<u8> {
    text.bytes().find(|byte| byte.is_ascii_control() && *byte != b'\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(block: &str) -> Vec<(String, String)> {
        let headers = Headers::parse(block.as_bytes()).unwrap();
        headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn what_clients_write_is_read() {
        assert_eq!(pairs("NATS/1.0\r\n\r\n"), []);
        let block = "NATS/1.0\r\nA:1\r\na:  zwei \t\r\nTäg\r\n\r\n";
        assert_eq!(Headers::parse(block.as_bytes()), Err(BadHeaders::NoColon { line: 4 }));
        let block = "NATS/1.0\r\nA:1\r\na:  zw\u{f6}lf \t\r\nB:\r\nC: x:y\r\n\r\n";
        let wanted = [("A", "1"), ("a", "zw\u{f6}lf"), ("B", ""), ("C", "x:y")];
        assert_eq!(pairs(block), wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let status = Headers::parse(b"NATS/1.0 409 Consumer Deleted\r\nN: 3\r\n\r\n").unwrap();
        assert_eq!((status.status(), status.description()), (Some(409), Some("Consumer Deleted")));
        assert_eq!(status.get("N"), Some("3"));
        assert_eq!(Headers::parse(b"NATS/1.0 503\r\n\r\n").unwrap().status(), Some(503));
    }

    #[test]
    fn every_broken_rule_is_named() {
        let long = format!("NATS/1.0\r\nX: {}\r\n\r\n", "a".repeat(Headers::MAX_BYTES));
        for (block, why) in [
            (long.as_bytes(), BadHeaders::TooLong { bytes: long.len() }),
            (b"NATS/1.0\r\nX: \xff\r\n\r\n", BadHeaders::NotUtf8 { at: 13 }),
            (b"", BadHeaders::Version),
            (b"NATS/1.1\r\n\r\n", BadHeaders::Version),
            (b"nats/1.0\r\n\r\n", BadHeaders::Version),
            (b"NATS/1.0X\r\n\r\n", BadHeaders::Version),
            (b"NATS/1.0 \r\n\r\n", BadHeaders::Status),
            (b"NATS/1.0 ok\r\n\r\n", BadHeaders::Status),
            (b"NATS/1.0 5033\r\n\r\n", BadHeaders::Status),
            (b"NATS/1.0", BadHeaders::Unended { line: 1 }),
            (b"NATS/1.0\n\n", BadHeaders::Unended { line: 1 }),
            (b"NATS/1.0\r\n", BadHeaders::Unended { line: 2 }),
            (b"NATS/1.0\r\nX: a\r\n", BadHeaders::Unended { line: 3 }),
            (b"NATS/1.0\r\nX: a\rb\r\n\r\n", BadHeaders::Unended { line: 2 }),
            (b"NATS/1.0\r\nX: a\nY: b\r\n\r\n", BadHeaders::Unended { line: 2 }),
            (b"NATS/1.0\r\n\r\nX: a\r\n\r\n", BadHeaders::Trailing { bytes: 8 }),
            (b"NATS/1.0\r\nX\r\n\r\n", BadHeaders::NoColon { line: 2 }),
            (b"NATS/1.0\r\nX: a\r\n folded\r\n\r\n", BadHeaders::NoColon { line: 3 }),
            (b"NATS/1.0\r\n: a\r\n\r\n", BadHeaders::Name { line: 2 }),
            (b"NATS/1.0\r\nX Y: a\r\n\r\n", BadHeaders::Name { line: 2 }),
            (b"NATS/1.0\r\nX\t: a\r\n\r\n", BadHeaders::Name { line: 2 }),
            ("NATS/1.0\r\n\u{e9}: a\r\n\r\n".as_bytes(), BadHeaders::Name { line: 2 }),
            (b"NATS/1.0\r\nX: a\0\r\n\r\n", BadHeaders::Value { line: 2, byte: 0 }),
            (b"NATS/1.0\r\nX: \x1b[2J\r\n\r\n", BadHeaders::Value { line: 2, byte: 0x1b }),
        ] {
            assert_eq!(
                Headers::parse(block),
                Err(why),
                "{:?}",
                String::from_utf8_lossy(&block[..block.len().min(60)])
            );
        }
    }

    #[test]
    fn what_a_server_adds_is_read_behind_anything() {
        let block =
            b"HTTP/1.0 x\r\nX Y: a\rb\xff\r\nNats-Sequence: 1\r\nNats-Stream: S\r\nNats-Sequence: 7\r\n\r\n";
        let headers = Headers::ending(block);
        assert_eq!((headers.last("Nats-Stream"), headers.last("Nats-Sequence")), (Some("S"), Some("7")));
        assert_eq!(headers.get("X Y"), None);
        for block in [b"".as_slice(), b"\r\n\r\n", b"NATS/1.0\r\n\r\n", b"NATS/1.0\r\nA: 1\r\n"] {
            assert!(Headers::ending(block).is_empty(), "{block:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(Headers::parse(&tail));
            drop(Headers::ending(&tail));
            let whole = [b"NATS/1.0\r\n".as_slice(), &tail, b"\r\n\r\n"].concat();
            if let Ok(headers) = Headers::parse(&whole) {
                prop_assert_eq!(Headers::parse(headers.to_string().as_bytes()), Ok(headers));
            }
        }

        #[test]
        fn what_is_written_reads_back(
            pairs in prop::collection::vec(("[!-9;-~]{1,20}", "[ -~\u{e4}\u{20ac}]{0,40}"), 0..10)
        ) {
            let headers = Headers::of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap();
            prop_assert_eq!(Headers::parse(headers.to_string().as_bytes()), Ok(headers));
        }
    }
}
