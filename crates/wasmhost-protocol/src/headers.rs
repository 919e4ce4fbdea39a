//! The headers of a job message, read and written. Strict with our own (`Wasmhost-*`), blind to all others; whether a
//! value is within the module's policy is not decided here.

use std::time::Duration;

use crate::bounds::{self, Bounds, OutOfBounds, Quantity};
use crate::digest::Digest;
use crate::duration::{format_duration, parse_duration};
use crate::ids::{JobKey, QueueName};
use crate::names::header;
use crate::timestamp::Timestamp;

/// What the headers of a job message say. Each is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobOptions {
    /// Revision of the PENDING record; at least 1.
    pub revision: Option<u64>,
    /// The version of the module to run.
    pub digest: Option<Digest>,
    /// Attempts in all, within [`bounds::MAX_ATTEMPTS`].
    pub max_attempts: Option<u32>,
    /// After this time an attempt is stopped; within [`bounds::ATTEMPT`].
    pub timeout: Option<Duration>,
    /// After this time no attempt starts.
    pub expires_at: Option<Timestamp>,
    /// How long the terminal record is kept, within [`bounds::RESULT_TTL`]; zero: its result is dropped.
    pub result_ttl: Option<Duration>,
    /// The job that this one came from.
    pub parent: Option<JobKey>,
    /// Digest of the body, as the PENDING record has it.
    pub args_digest: Option<Digest>,
    /// When the job was submitted, as the PENDING record has it.
    pub submitted_at: Option<Timestamp>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The queue; on the submit service only.
    pub queue: Option<QueueName>,
    /// How long to wait before the job is queued; on the submit service only, and not beside `at`.
    pub delay: Option<Duration>,
    /// When the job is queued; on the submit service only, and not beside `delay`.
    pub at: Option<Timestamp>,
}

/// Where a message with headers arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderScope {
    /// In the job stream.
    Job,
    /// At the submit service, which takes `Wasmhost-Queue`, `-Delay` and `-At` as well.
    Submit,
}

/// A `Wasmhost-*` header that makes a message a bad job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// No header has this name.
    #[error("header `{}` is unknown", shown(.name))]
    Unknown {
        /// The name as found.
        name: String,
    },
    /// The header is the submit service's, and stands on a job message.
    #[error("header `{name}` is unknown on a job message: only the submit service takes it")]
    Misplaced {
        /// Its proper name.
        name: &'static str,
    },
    /// The header stands more than once, whatever the letter case.
    #[error("header `{name}` is repeated")]
    Repeated {
        /// Its proper name.
        name: &'static str,
    },
    /// The value cannot be read.
    #[error("header `{name}` is unreadable: {why}")]
    Unreadable {
        /// Its proper name.
        name: &'static str,
        /// What is wrong with the value.
        why: String,
    },
    /// The value asks for more, or for less, than there is.
    #[error("header `{name}`: {source}")]
    OutOfBounds {
        /// Its proper name.
        name: &'static str,
        /// How.
        source: OutOfBounds,
    },
    /// Two headers exclude each other.
    #[error("header `{name}` cannot stand beside `{other}`")]
    Excluded {
        /// The one.
        name: &'static str,
        /// The other.
        other: &'static str,
    },
}

fn shown(name: &str) -> String {
    crate::text::escape(crate::text::truncate(name, 80))
}

/// What is wrong with a value.
enum Why {
    Unreadable(String),
    OutOfBounds(OutOfBounds),
}

impl Why {
    fn of(self, name: &'static str) -> BadHeader {
        match self {
            Self::Unreadable(why) => BadHeader::Unreadable { name, why },
            Self::OutOfBounds(source) => BadHeader::OutOfBounds { name, source },
        }
    }
}

struct Field {
    name: &'static str,
    place: HeaderScope,
    read: fn(&mut JobOptions, &str) -> Result<(), Why>,
    write: fn(&JobOptions) -> Option<String>,
}

const FIELDS: [Field; 12] = [
    Field {
        name: header::REVISION,
        place: HeaderScope::Job,
        read: |options, text| put(&mut options.revision, positive(text)),
        write: |options| options.revision.map(|revision| revision.to_string()),
    },
    Field {
        name: header::DIGEST,
        place: HeaderScope::Job,
        read: |options, text| put(&mut options.digest, Digest::parse(text)),
        write: |options| options.digest.map(|digest| digest.to_string()),
    },
    Field {
        name: header::MAX_ATTEMPTS,
        place: HeaderScope::Job,
        read: |options, text| hold(&mut options.max_attempts, attempts(text), bounds::MAX_ATTEMPTS),
        write: |options| options.max_attempts.map(|attempts| attempts.to_string()),
    },
    Field {
        name: header::TIMEOUT,
        place: HeaderScope::Job,
        read: |options, text| hold(&mut options.timeout, parse_duration(text), bounds::ATTEMPT),
        write: |options| options.timeout.map(format_duration),
    },
    Field {
        name: header::EXPIRES,
        place: HeaderScope::Job,
        read: |options, text| hold(&mut options.expires_at, Timestamp::parse(text), bounds::TIME),
        write: |options| options.expires_at.map(|at| at.to_string()),
    },
    Field {
        name: header::RESULT_TTL,
        place: HeaderScope::Job,
        // Zero drops the result.
        read: |options, text| match parse_duration(text) {
            Ok(Duration::ZERO) => put(&mut options.result_ttl, Ok::<_, String>(Duration::ZERO)),
            ttl => hold(&mut options.result_ttl, ttl, bounds::RESULT_TTL),
        },
        write: |options| options.result_ttl.map(format_duration),
    },
    Field {
        name: header::PARENT,
        place: HeaderScope::Job,
        read: |options, text| put(&mut options.parent, JobKey::parse(text)),
        write: |options| options.parent.as_ref().map(JobKey::to_string),
    },
    Field {
        name: header::ARGS_DIGEST,
        place: HeaderScope::Job,
        read: |options, text| put(&mut options.args_digest, Digest::parse(text)),
        write: |options| options.args_digest.map(|digest| digest.to_string()),
    },
    Field {
        name: header::SUBMITTED_AT,
        place: HeaderScope::Job,
        read: |options, text| hold(&mut options.submitted_at, Timestamp::parse(text), bounds::TIME),
        write: |options| options.submitted_at.map(|at| at.to_string()),
    },
    Field {
        name: header::QUEUE,
        place: HeaderScope::Submit,
        read: |options, text| put(&mut options.queue, QueueName::parse(text)),
        write: |options| options.queue.as_ref().map(QueueName::to_string),
    },
    Field {
        name: header::DELAY,
        place: HeaderScope::Submit,
        read: |options, text| put(&mut options.delay, parse_duration(text)),
        write: |options| options.delay.map(format_duration),
    },
    Field {
        name: header::AT,
        place: HeaderScope::Submit,
        read: |options, text| hold(&mut options.at, Timestamp::parse(text), bounds::TIME),
        write: |options| options.at.map(|at| at.to_string()),
    },
];

impl JobOptions {
    /// Reads the headers of a message: a `Wasmhost-*` one that is unknown in this place, repeated or unreadable, in any
    /// letter case, is an error; others are ignored.
    pub fn parse<'a>(
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        place: HeaderScope,
    ) -> Result<Self, BadHeader> {
        let mut options = Self::default();
        let mut seen = [false; FIELDS.len()];
        for (name, value) in headers {
            if is_ours(name) {
                let index = find(name, place)?;
                let field = &FIELDS[index];
                if std::mem::replace(&mut seen[index], true) {
                    return Err(BadHeader::Repeated { name: field.name });
                }
                (field.read)(&mut options, value.trim_matches([' ', '\t']))
                    .map_err(|why| why.of(field.name))?;
            } else if name.eq_ignore_ascii_case(header::TRACEPARENT) && is_traceparent(value) {
                options.traceparent.get_or_insert_with(|| value.to_owned());
            }
        }
        if options.delay.is_some() && options.at.is_some() {
            return Err(BadHeader::Excluded { name: header::DELAY, other: header::AT });
        }
        Ok(options)
    }

    /// The headers that say the same.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let ours = FIELDS.iter().filter_map(|field| Some((field.name, (field.write)(self)?)));
        ours.chain(self.traceparent.iter().map(|text| (header::TRACEPARENT, text.clone()))).collect()
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..header::PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(header::PREFIX))
}

fn find(name: &str, place: HeaderScope) -> Result<usize, BadHeader> {
    let index = FIELDS.iter().position(|field| field.name.eq_ignore_ascii_case(name));
    let index = index.ok_or_else(|| BadHeader::Unknown { name: name.to_owned() })?;
    let field = &FIELDS[index];
    match (field.place, place) {
        (HeaderScope::Submit, HeaderScope::Job) => Err(BadHeader::Misplaced { name: field.name }),
        (HeaderScope::Job, HeaderScope::Job | HeaderScope::Submit)
        | (HeaderScope::Submit, HeaderScope::Submit) => Ok(index),
    }
}

fn put<T, E: ToString>(slot: &mut Option<T>, value: Result<T, E>) -> Result<(), Why> {
    *slot = Some(value.map_err(|error| Why::Unreadable(error.to_string()))?);
    Ok(())
}

/// The same for what has bounds.
fn hold<T: Quantity, E: ToString>(
    slot: &mut Option<T>,
    value: Result<T, E>,
    bounds: Bounds<T>,
) -> Result<(), Why> {
    let value = value.map_err(|error| Why::Unreadable(error.to_string()))?;
    *slot = Some(bounds.hold(value).map_err(Why::OutOfBounds)?);
    Ok(())
}

fn positive(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if digits { text.parse().unwrap_or(0) } else { 0 };
    if number == 0 { Err(format!("`{}` is not a whole number from 1", shown(text))) } else { Ok(number) }
}

/// What is more than fits is more than the bound as well.
fn attempts(text: &str) -> Result<u32, String> {
    positive(text).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, by length and letters; what else is wrong with one is the tracer's to say.
fn is_traceparent(text: &str) -> bool {
    text.len() == 55 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn parse(headers: &[(&str, &str)], place: HeaderScope) -> Result<JobOptions, BadHeader> {
        JobOptions::parse(headers.iter().copied(), place)
    }

    #[test]
    fn options_read_back() {
        let headers = [
            ("Wasmhost-Revision", "18446744073709551615"),
            ("Wasmhost-Digest", DIGEST),
            ("Wasmhost-Max-Attempts", "3"),
            ("Wasmhost-Timeout", "1m30s"),
            ("Wasmhost-Expires", "2026-01-31T12:00:00.000Z"),
            ("Wasmhost-Result-TTL", "0"),
            ("Wasmhost-Parent", "thumbs.resize.1"),
            ("Wasmhost-Args-Digest", DIGEST),
            ("Wasmhost-Submitted-At", "2026-01-31T11:00:00.000Z"),
            ("Wasmhost-Queue", "high"),
            ("Wasmhost-Delay", "250ms"),
            ("traceparent", TRACE),
        ];
        let options = parse(&headers, HeaderScope::Submit).unwrap();
        let pairs = options.to_pairs();
        assert_eq!(pairs.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), headers);
        assert_eq!(
            parse(&[("Wasmhost-At", "2026-01-31T12:00:00Z")], HeaderScope::Submit).unwrap().to_pairs().len(),
            1
        );
        assert!(JobOptions::default().to_pairs().is_empty());
    }

    #[test]
    fn letter_case_does_not_matter() {
        assert_eq!(
            parse(&[("wasmHOST-timeout", " 30s")], HeaderScope::Job).unwrap().timeout.unwrap().as_secs(),
            30
        );
        let twice = [("Wasmhost-Timeout", "30s"), ("wasmhost-timeout", "30s")];
        assert_eq!(parse(&twice, HeaderScope::Job), Err(BadHeader::Repeated { name: header::TIMEOUT }));
    }

    #[test]
    fn headers_that_are_not_ours_are_ignored() {
        let others = [("Nats-Msg-Id", "x"), ("Wasmhost", "x"), ("täglich-x", ""), ("traceparent", "junk")];
        assert_eq!(parse(&others, HeaderScope::Job), Ok(JobOptions::default()));
    }

    #[test]
    fn a_header_of_the_submit_service_is_unknown_on_a_job() {
        for name in
            [header::QUEUE, header::DELAY, header::AT, "Wasmhost-", "Wasmhost-Priority", header::DEAD_KIND]
        {
            let error = parse(&[(name, "1")], HeaderScope::Job).unwrap_err();
            assert!(error.to_string().starts_with(&format!("header `{name}` is unknown")), "{error}");
        }
        let both = [("Wasmhost-Delay", "1s"), ("Wasmhost-At", "2026-01-31T12:00:00Z")];
        assert!(matches!(parse(&both, HeaderScope::Submit), Err(BadHeader::Excluded { .. })));
    }

    #[test]
    fn an_unreadable_header_is_named() {
        for (name, value) in [
            (header::REVISION, ""),
            (header::REVISION, "0"),
            (header::REVISION, "+1"),
            (header::REVISION, "18446744073709551616"),
            (header::DIGEST, "abc"),
            (header::MAX_ATTEMPTS, "0"),
            (header::TIMEOUT, "30"),
            (header::EXPIRES, "30s"),
            (header::RESULT_TTL, "1"),
            (header::PARENT, "a.b.*"),
            (header::QUEUE, "a.b"),
            (header::AT, "2026-01-31T12:00:00"),
        ] {
            let error = parse(&[(name, value)], HeaderScope::Submit).unwrap_err();
            assert!(error.to_string().starts_with(&format!("header `{name}` is unreadable: ")), "{error}");
        }
    }

    #[test]
    fn what_is_beside_its_bounds_is_refused_by_a_word_that_names_them() {
        for (name, within, beside, bound) in [
            (header::MAX_ATTEMPTS, "1000000", "1000001", "1000000, the most"),
            (header::MAX_ATTEMPTS, "1", "4294967296", "1000000, the most"),
            (header::TIMEOUT, "30d", "30d1ms", "30d, the most"),
            (header::TIMEOUT, "1ms", "0", "1ms, the least"),
            (header::RESULT_TTL, "3650d", "3650d1ms", "3650d, the most"),
            (header::RESULT_TTL, "1s", "999ms", "1s, the least"),
            (header::EXPIRES, "2262-01-01T00:00:00Z", "2262-01-01T00:00:00.001Z", "2262-01-01"),
            (header::AT, "2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2262-01-01"),
        ] {
            assert!(parse(&[(name, within)], HeaderScope::Submit).is_ok(), "{name}: {within}");
            let error = parse(&[(name, beside)], HeaderScope::Submit).unwrap_err();
            assert!(matches!(error, BadHeader::OutOfBounds { .. }), "{error}");
            assert!(error.to_string().contains(bound), "{error}");
        }
        assert_eq!(
            parse(&[(header::RESULT_TTL, "0")], HeaderScope::Job).unwrap().result_ttl,
            Some(Duration::ZERO)
        );
    }
}
