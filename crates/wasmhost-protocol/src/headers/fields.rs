//! The table of all headers of a job: the name of each, the scope that it belongs to, and how its value is
//! read and written.

use std::time::Duration;

use super::bad_header::{BadHeader, escape_short};
use super::options::{HeaderScope, JobOptions};
use crate::bounds::{self, Bounds, OutOfBounds, Quantity};
use crate::digest::Digest;
use crate::duration::{format_duration, parse_duration};
use crate::ids::{Inbox, JobKey, QueueName};
use crate::names::header;
use crate::timestamp::Timestamp;

/// One header, with how its value is read into the options and written from them.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The scope that the header belongs to. The submit service reads those of a job as well.
    pub(super) scope: HeaderScope,
    pub(super) read: fn(&mut JobOptions, &str) -> Result<(), ValueError>,
    pub(super) write: fn(&JobOptions) -> Option<String>,
}

pub(super) const FIELDS: [Field; 13] = [
    Field {
        name: header::REVISION,
        scope: HeaderScope::Job,
        read: |options, text| set(&mut options.revision, parse_positive(text)),
        write: |options| options.revision.map(|revision| revision.to_string()),
    },
    Field {
        name: header::DIGEST,
        scope: HeaderScope::Job,
        read: |options, text| set(&mut options.digest, Digest::parse(text)),
        write: |options| options.digest.map(|digest| digest.to_string()),
    },
    Field {
        name: header::MAX_ATTEMPTS,
        scope: HeaderScope::Job,
        read: |options, text| {
            set_within(&mut options.max_attempts, parse_attempts(text), bounds::MAX_ATTEMPTS)
        },
        write: |options| options.max_attempts.map(|attempts| attempts.to_string()),
    },
    Field {
        name: header::TIMEOUT,
        scope: HeaderScope::Job,
        read: |options, text| set_within(&mut options.timeout, parse_duration(text), bounds::ATTEMPT),
        write: |options| options.timeout.map(format_duration),
    },
    Field {
        name: header::EXPIRES,
        scope: HeaderScope::Job,
        read: |options, text| set_within(&mut options.expires_at, Timestamp::parse(text), bounds::TIME),
        write: |options| options.expires_at.map(|at| at.to_string()),
    },
    Field {
        name: header::RESULT_TTL,
        scope: HeaderScope::Job,
        // Zero is below the bounds and allowed all the same: it asks to drop the result.
        read: |options, text| match parse_duration(text) {
            Ok(Duration::ZERO) => set(&mut options.result_ttl, Ok::<_, String>(Duration::ZERO)),
            ttl => set_within(&mut options.result_ttl, ttl, bounds::RESULT_TTL),
        },
        write: |options| options.result_ttl.map(format_duration),
    },
    Field {
        name: header::PARENT,
        scope: HeaderScope::Job,
        read: |options, text| set(&mut options.parent, JobKey::parse(text)),
        write: |options| options.parent.as_ref().map(JobKey::to_string),
    },
    Field {
        name: header::ARGS_DIGEST,
        scope: HeaderScope::Job,
        read: |options, text| set(&mut options.args_digest, Digest::parse(text)),
        write: |options| options.args_digest.map(|digest| digest.to_string()),
    },
    Field {
        name: header::SUBMITTED_AT,
        scope: HeaderScope::Job,
        read: |options, text| set_within(&mut options.submitted_at, Timestamp::parse(text), bounds::TIME),
        write: |options| options.submitted_at.map(|at| at.to_string()),
    },
    Field {
        name: header::NOTIFY,
        scope: HeaderScope::Job,
        read: |options, text| set(&mut options.notify, Inbox::parse(text)),
        write: |options| options.notify.as_ref().map(Inbox::to_string),
    },
    Field {
        name: header::QUEUE,
        scope: HeaderScope::Submit,
        read: |options, text| set(&mut options.queue, QueueName::parse(text)),
        write: |options| options.queue.as_ref().map(QueueName::to_string),
    },
    Field {
        name: header::DELAY,
        scope: HeaderScope::Submit,
        // The time at which the job is due has a bound, and the delay itself has none.
        read: |options, text| set(&mut options.delay, parse_duration(text)),
        write: |options| options.delay.map(format_duration),
    },
    Field {
        name: header::AT,
        scope: HeaderScope::Submit,
        read: |options, text| set_within(&mut options.at, Timestamp::parse(text), bounds::TIME),
        write: |options| options.at.map(|at| at.to_string()),
    },
];

/// What is wrong with the value of a header.
pub(super) enum ValueError {
    Unreadable(String),
    OutOfBounds(OutOfBounds),
}

impl ValueError {
    pub(super) fn in_header(self, name: &'static str) -> BadHeader {
        match self {
            Self::Unreadable(why) => BadHeader::Unreadable { name, why },
            Self::OutOfBounds(source) => BadHeader::OutOfBounds { name, source },
        }
    }
}

/// Sets an option to a value that was read.
fn set<T, E: ToString>(option: &mut Option<T>, value: Result<T, E>) -> Result<(), ValueError> {
    *option = Some(value.map_err(|error| ValueError::Unreadable(error.to_string()))?);
    Ok(())
}

/// Sets an option to a value that was read and is within its bounds.
fn set_within<T: Quantity, E: ToString>(
    option: &mut Option<T>,
    value: Result<T, E>,
    bounds: Bounds<T>,
) -> Result<(), ValueError> {
    let value = value.map_err(|error| ValueError::Unreadable(error.to_string()))?;
    *option = Some(bounds.check(value).map_err(ValueError::OutOfBounds)?);
    Ok(())
}

fn parse_positive(text: &str) -> Result<u64, String> {
    // The digits are checked first, because `parse` would accept a sign.
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if is_number { text.parse().unwrap_or(0) } else { 0 };
    if number == 0 {
        Err(format!("`{}` is not a whole number from 1", escape_short(text)))
    } else {
        Ok(number)
    }
}

fn parse_attempts(text: &str) -> Result<u32, String> {
    // A number that does not fit is over the bound too, and the error should name the bound.
    parse_positive(text).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}
