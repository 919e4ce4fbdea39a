//! The origin of a message that came to the job stream by way of the schedule stream, as the server states it
//! in headers.

use super::deployment::Names;
use super::header;
use crate::digest::Digest;
use crate::ids::JobId;
use crate::timestamp::Timestamp;

/// A `ScheduleOrigin` is the place in the schedule stream that a message of the job stream comes from. After a crash
/// a server may have lost its place in its source and bring the same due messages again, under new sequences
/// of the job stream; only this stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleOrigin {
    /// The sequence of the due message in the schedule stream.
    pub sequence: u64,
    /// When the schedule fires next; `None` where it does not, or where no schedule fired the message.
    pub next: Option<Timestamp>,
}

impl ScheduleOrigin {
    /// Reads the headers of a message of the job stream. Returns `None` where the message was published to
    /// the job stream itself.
    pub fn parse<'a>(names: &Names, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        // The server adds its headers behind those of the publisher, so that of a header that is given twice
        // the last one is the server's own. Older servers let publishers forge the first.
        let mut source = None;
        let mut next = None;
        for (name, value) in headers {
            match name {
                header::STREAM_SOURCE => source = Some(value),
                header::SCHEDULE_NEXT => next = Some((name, value)),
                _ => {}
            }
        }
        let (stream, rest) = source?.split_once(' ')?;
        if stream != names.schedules_stream() {
            return None;
        }
        Some(Self::of_due(rest.split(' ').next()?.parse().ok()?, next))
    }

    /// Returns what [`Self::parse`] will read of a due message once the job stream has taken it.
    pub fn of_due<'a>(sequence: u64, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let next = headers.into_iter().filter(|(name, _)| *name == header::SCHEDULE_NEXT).last();
        Self { sequence, next: next.and_then(|(_, next)| Timestamp::parse(next).ok()) }
    }

    /// Derives the id of the job of a message without one. It is the same however often the source brings the
    /// message.
    #[must_use]
    pub fn id(&self, body: &Digest) -> JobId {
        JobId::fired(self.sequence, self.next.map(Timestamp::unix_ms), body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Namespace;

    fn origin(headers: &[(&'static str, &'static str)]) -> Option<ScheduleOrigin> {
        ScheduleOrigin::parse(&Names::new(&Namespace::default()), headers.iter().copied())
    }

    const SOURCE: &str = "WASMHOST_SCHEDULES 17 wasmhost.due.> wasmhost.jobs.> wasmhost.due.default.a.b";

    #[test]
    fn a_message_is_known_by_where_it_came_from() {
        let body = Digest::from_bytes([0xab; 32]);
        let other = Digest::from_bytes([0xcd; 32]);
        let direct = origin(&[(header::STREAM_SOURCE, SOURCE)]).unwrap();
        assert_eq!((direct.sequence, direct.next), (17, None));
        assert_eq!(direct.id(&body).as_str(), "d17-abababababababab");
        assert_ne!(direct.id(&body), direct.id(&other));
        let once = origin(&[(header::SCHEDULE_NEXT, "purge"), (header::STREAM_SOURCE, SOURCE)]).unwrap();
        assert_eq!(once.id(&body), direct.id(&body));
        let slot = "1970-01-01T00:00:01.5Z";
        let slot = origin(&[(header::SCHEDULE_NEXT, slot), (header::STREAM_SOURCE, SOURCE)]).unwrap();
        assert_eq!(slot.id(&body).as_str(), "d17-1500-abababababababab");
    }

    #[test]
    fn the_last_of_two_headers_is_the_servers() {
        let forged = (header::STREAM_SOURCE, "WASMHOST_SCHEDULES 99 a b c");
        assert_eq!(origin(&[forged, (header::STREAM_SOURCE, SOURCE)]).unwrap().sequence, 17);
    }

    #[test]
    fn a_message_from_elsewhere_was_not_fired() {
        for source in ["", "17", "WASMHOST_SCHEDULES", "WASMHOST_SCHEDULES x y", "OTHER 17 a b c"] {
            assert_eq!(origin(&[(header::STREAM_SOURCE, source)]), None, "{source}");
        }
        assert_eq!(origin(&[(header::SCHEDULE_NEXT, "purge")]), None);
    }
}
