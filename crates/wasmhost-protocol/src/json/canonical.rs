//! The canonical form of a job's arguments, in which equal arguments are equal texts: a job that is submitted
//! again with other spaces or another order of names is the same job. Only the digest of the form is stored;
//! a task gets the text as it was sent.
//!
//! The canonical form of a JSON text is the text
//!
//! - without a byte order mark and without white space outside of strings;
//! - with the members of each object, at every depth, in the order of the code points of their names, and
//!   members of equal names in the order in which they came;
//! - with each string as its characters, of which only `"`, `\` and those below U+0020 are escaped, as `\"`,
//!   `\\`, `\b`, `\t`, `\n`, `\f`, `\r`, or as `\u` with four lower-case hexadecimal digits;
//! - with each number as it is written: `1`, `1.0` and `1e0` differ, and none loses a digit.
//!
//! A text that is not JSON, that has half of a surrogate pair in a string, that is nested deeper than 128 or
//! that is longer than 512 KiB is its own canonical form. What `serde_json` writes of a value with sorted
//! names is in canonical form too.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bounds;

/// A text with more objects and arrays within each other is its own canonical form. Clients refuse texts that
/// are nested deeper than 64 before they submit them; serde_json reads 128, and a message that somebody else
/// published has to get some digest before it is refused.
const MAX_DEPTH: usize = 128;

/// Returns the canonical form of a job's arguments. It never fails: what is not JSON, or is beyond a bound,
/// is returned as it is.
#[must_use]
pub fn canonical(arguments: &[u8]) -> Cow<'_, [u8]> {
    let text = arguments.strip_prefix(b"\xef\xbb\xbf").unwrap_or(arguments).trim_ascii();
    // A value of one byte takes dozens of bytes in the tree. No client submits a text this long, so a message
    // that has one does not deserve the memory.
    if text.len() > bounds::ARGUMENT_BYTES {
        return Cow::Borrowed(arguments);
    }
    if text.is_empty() {
        return Cow::Borrowed(text);
    }
    // The whole text is validated first, without a tree. The reader can then trust every byte that it passes.
    let Ok(valid) = serde_json::from_slice::<&RawValue>(text) else { return Cow::Borrowed(arguments) };
    match (Reader { text: valid.get(), at: 0 }).value(MAX_DEPTH) {
        Some(value) => {
            let mut form = Vec::with_capacity(text.len());
            value.write(&mut form);
            Cow::Owned(form)
        }
        None => Cow::Borrowed(arguments),
    }
}

/// A value of the tree. Strings without escapes are slices of the text.
enum Value<'a> {
    /// A number, `true`, `false` or `null`, as it is written.
    Word(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl Value<'_> {
    fn write(&self, form: &mut Vec<u8>) {
        match self {
            Self::Word(word) => form.extend_from_slice(word.as_bytes()),
            Self::String(string) => write_string(string, form),
            Self::Array(items) => {
                form.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    write_comma(index, form);
                    item.write(form);
                }
                form.push(b']');
            }
            Self::Object(members) => {
                form.push(b'{');
                for (index, (key, value)) in members.iter().enumerate() {
                    write_comma(index, form);
                    write_string(key, form);
                    form.push(b':');
                    value.write(form);
                }
                form.push(b'}');
            }
        }
    }
}

fn write_comma(index: usize, form: &mut Vec<u8>) {
    if index > 0 {
        form.push(b',');
    }
}

fn write_string(string: &str, form: &mut Vec<u8>) {
    serde_json::to_writer(form, string).expect("a string is JSON, and memory takes it");
}

/// Reads a text that `serde_json` has found to be valid JSON, so that a byte is checked only where it decides
/// what follows.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads the next value. Returns `None` where it is nested too deep, or where a string has half of a
    /// surrogate pair.
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        match self.peek()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => self.string().map(Value::String),
            _ => Some(Value::Word(self.word())),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut members = Vec::new();
        while self.has_next_member(b'}')? {
            self.peek()?;
            let key = self.string()?;
            self.skip(b':')?;
            members.push((key, self.value(depth)?));
        }
        // The sort is stable, so that equal names keep their order: readers differ in which of two values
        // they take.
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        Some(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut items = Vec::new();
        while self.has_next_member(b']')? {
            items.push(self.value(depth)?);
        }
        Some(Value::Array(items))
    }

    /// Passes the opening bracket or the comma, and returns whether another member follows. Where none does,
    /// the closing bracket is passed as well.
    fn has_next_member(&mut self, end: u8) -> Option<bool> {
        if self.peek()? != end {
            self.at += 1;
        }
        let more = self.peek()? != end;
        self.at += usize::from(!more);
        Some(more)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        let mut bytes = self.text.as_bytes()[start + 1..].iter();
        let mut escaped = false;
        let mut length = 2;
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => {
                    // The escaped byte is skipped too: it may be a quotation mark that does not end the
                    // string.
                    escaped = true;
                    bytes.next();
                    length += 2;
                }
                _ => length += 1,
            }
        }
        self.at += length;
        let quoted = &self.text[start..self.at];
        if !escaped {
            return Some(Cow::Borrowed(&quoted[1..length - 1]));
        }
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    }

    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Returns the next byte that is not white space, without passing it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += space;
        rest.get(space).copied()
    }
}

#[cfg(test)]
mod tests;
