//! Reads the options of a job from its headers, and writes them.

use super::bad_header::BadHeader;
use super::fields::FIELDS;
use super::options::{HeaderScope, JobOptions};
use crate::names::header;

impl JobOptions {
    /// Reads the headers of a message. The error is the first header `Wasmhost-*`, in any letter case, that
    /// is unknown in this scope, repeated, unreadable or outside of its bounds. Other headers are ignored.
    pub fn parse<'a>(
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        scope: HeaderScope,
    ) -> Result<Self, BadHeader> {
        let mut options = Self::default();
        let mut seen = [false; FIELDS.len()];
        for (name, value) in headers {
            if header::is_of_wasmhost(name) {
                let index = find_field(name, scope)?;
                let field = &FIELDS[index];
                if std::mem::replace(&mut seen[index], true) {
                    return Err(BadHeader::Repeated { name: field.name });
                }
                // As in HTTP, white space around a value is not a part of it.
                (field.read)(&mut options, value.trim_matches([' ', '\t']))
                    .map_err(|error| error.in_header(field.name))?;
            } else if name.eq_ignore_ascii_case(header::TRACEPARENT) && is_traceparent(value) {
                // A malformed trace context is ignored, as the W3C prescribes: it must not fail the job.
                options.traceparent.get_or_insert_with(|| value.to_owned());
            }
        }
        if options.delay.is_some() && options.at.is_some() {
            return Err(BadHeader::Excluded { name: header::DELAY, other: header::AT });
        }
        Ok(options)
    }

    /// Returns the headers that [`Self::parse`] reads as these options, by their proper names.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let ours = FIELDS.iter().filter_map(|field| Some((field.name, (field.write)(self)?)));
        ours.chain(self.traceparent.iter().map(|text| (header::TRACEPARENT, text.clone()))).collect()
    }
}

fn find_field(name: &str, scope: HeaderScope) -> Result<usize, BadHeader> {
    let index = FIELDS.iter().position(|field| field.name.eq_ignore_ascii_case(name));
    let index = index.ok_or_else(|| BadHeader::Unknown { name: name.to_owned() })?;
    let field = &FIELDS[index];
    match (field.scope, scope) {
        (HeaderScope::Submit, HeaderScope::Job) => Err(BadHeader::Misplaced { name: field.name }),
        (HeaderScope::Job, HeaderScope::Job | HeaderScope::Submit)
        | (HeaderScope::Submit, HeaderScope::Submit) => Ok(index),
    }
}

/// Returns whether a text looks like `00-<32 hex>-<16 hex>-<2 hex>`. Only length and letters are checked: the
/// text is carried along, and a tracer reads it itself.
fn is_traceparent(text: &str) -> bool {
    text.len() == 55 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}
