//! The form of arguments in which two texts that say the same are the same, so that a job submitted again with other
//! spaces or another order of keys is that job. Only its digest is ever kept: a task gets the text as it was sent.
//!
//! The form of a JSON text is the text without white space outside of strings and without a byte order mark; with the
//! members of each object, at every depth, in the order of their keys' code points, those with equal keys in the order in
//! which they came; with each string as its characters, of which `"`, `\` and those below U+0020 alone are escaped, as
//! `\"`, `\\`, `\b`, `\t`, `\n`, `\f`, `\r` or `\u` with four lower-case digits. A number is its text: `1`, `1.0` and `1e0`
//! differ, and none loses a digit. What is no JSON, has half of a surrogate pair, or is beyond the bounds below, is its own
//! form. So is what `serde_json` writes of a value whose keys are in order.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bounds;

/// A text that is nested deeper is its own form.
const MOST_DEPTH: usize = 128;

/// The form of these arguments.
#[must_use]
pub fn canonical(arguments: &[u8]) -> Cow<'_, [u8]> {
    let text = arguments.strip_prefix(b"\xef\xbb\xbf").unwrap_or(arguments).trim_ascii();
    // What no client submits is not worth its memory: a value of one byte takes dozens in the tree.
    if text.len() > bounds::ARGUMENT_BYTES {
        return Cow::Borrowed(arguments);
    }
    if text.is_empty() {
        return Cow::Borrowed(text);
    }
    let Ok(valid) = serde_json::from_slice::<&RawValue>(text) else { return Cow::Borrowed(arguments) };
    match (Scan { text: valid.get(), at: 0 }).value(MOST_DEPTH) {
        Some(value) => {
            let mut form = Vec::with_capacity(text.len());
            value.write(&mut form);
            Cow::Owned(form)
        }
        None => Cow::Borrowed(arguments),
    }
}

/// A value; what is in order already is a part of the text.
enum Value<'a> {
    /// A number, `true`, `false` or `null`.
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

/// Reads a text that is known to be JSON.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// The value that comes next; none where it is too deep, or no text.
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        match self.next()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => self.string().map(Value::String),
            _ => Some(Value::Word(self.word())),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut members = Vec::new();
        while self.is_more(b'}')? {
            self.next()?;
            let key = self.string()?;
            self.skip(b':')?;
            members.push((key, self.value(depth)?));
        }
        // Stable, so that equal keys keep their order.
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        Some(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut items = Vec::new();
        while self.is_more(b']')? {
            items.push(self.value(depth)?);
        }
        Some(Value::Array(items))
    }

    /// Goes past what opens or parts the members of something; whether there is another before its end, which is passed.
    fn is_more(&mut self, end: u8) -> Option<bool> {
        if self.next()? != end {
            self.at += 1;
        }
        let more = self.next()? != end;
        self.at += usize::from(!more);
        Some(more)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let from = self.at;
        let mut bytes = self.text.as_bytes()[from + 1..].iter();
        let mut escaped = false;
        let mut length = 2;
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    bytes.next();
                    length += 2;
                }
                _ => length += 1,
            }
        }
        self.at += length;
        let quoted = &self.text[from..self.at];
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
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += space;
        rest.get(space).copied()
    }
}

#[cfg(test)]
mod tests;
