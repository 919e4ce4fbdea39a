//! Changes to the record of an ended job that is about to be written: it is made smaller where the server
//! refuses it as too large, and it notes that no dead-letter copy could be stored. Neither changes what the
//! state machine decided.

use super::fields::Record;
use super::state::{End, JobState};

impl Record {
    /// Drops the next part that the record can do without, and returns false where nothing is left to drop.
    /// Of a FAILURE the order is backtrace, details, meta, standard error; of any other record only the meta
    /// is dropped.
    pub fn shrink(&mut self) -> bool {
        let fields = self.fields_mut();
        let JobState::Ended { end: End::Failure(error), .. } = &mut fields.state else {
            return fields.meta.take().is_some();
        };
        // The guest's own last words explain most in the fewest bytes, so they are dropped last.
        error.backtrace.take().is_some()
            || error.details.take().is_some()
            || fields.meta.take().is_some()
            || error.stderr.take().is_some()
    }

    /// Notes in the error of a failed job that no dead-letter copy of its message could be stored.
    pub fn note_missing_dead_letter(&mut self) {
        if let JobState::Ended { end: End::Failure(error), .. } = &mut self.fields_mut().state {
            error.message.push_str(" (no copy could be kept in the dead letters)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::machine::sample::{at, failure, forged, started};
    use crate::record::ErrorKind;

    fn failed() -> Record {
        let mut end = failure(ErrorKind::Trapped);
        if let End::Failure(error) = &mut end {
            error.backtrace = Some("frames".to_owned());
            error.details = Some(Json::null());
            error.stderr = Some("panicked".to_owned());
        }
        let state = JobState::Ended { end, finished_at: at(1) };
        forged!(started(), state = state, meta = Some(Json::null()))
    }

    fn parts(record: &Record) -> [bool; 4] {
        let JobState::Ended { end: End::Failure(error), .. } = &record.state else { panic!("{record:?}") };
        [error.backtrace.is_some(), error.details.is_some(), record.meta.is_some(), error.stderr.is_some()]
    }

    #[test]
    fn a_failure_loses_its_parts_in_order_and_the_last_words_last() {
        let mut record = failed();
        let mut left = Vec::new();
        while record.shrink() {
            left.push(parts(&record));
        }
        let expected =
            [[false, true, true, true], [false, false, true, true], [false, false, false, true], [false; 4]];
        assert_eq!(left, expected);
    }

    #[test]
    fn a_record_without_an_error_loses_only_its_meta() {
        let mut record = forged!(started(), meta = Some(Json::null()));
        assert!(record.shrink() && record.meta.is_none() && !record.shrink());
    }

    #[test]
    fn a_missing_dead_letter_is_noted_in_the_error() {
        let mut record = failed();
        record.note_missing_dead_letter();
        let JobState::Ended { end: End::Failure(error), .. } = &record.state else { panic!("{record:?}") };
        assert!(error.message.ends_with("(no copy could be kept in the dead letters)"), "{}", error.message);
    }
}
