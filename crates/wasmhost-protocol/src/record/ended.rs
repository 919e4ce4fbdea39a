//! What may still be done to a record that is about to be written, because the server takes no more or the dead letters took
//! no copy. Neither changes what the state machine decided.

use super::fields::Record;
use super::state::{End, JobState};

impl Record {
    /// Drops the largest part that a record can do without; false where nothing is left to drop. The order is backtrace,
    /// details, meta, standard error: the last words of the guest go last, for they are what people read.
    pub fn shrink(&mut self) -> bool {
        let fields = self.fields_mut();
        let JobState::Ended { end: End::Failure(error), .. } = &mut fields.stage else {
            return fields.meta.take().is_some();
        };
        error.backtrace.take().is_some()
            || error.details.take().is_some()
            || fields.meta.take().is_some()
            || error.stderr.take().is_some()
    }

    /// Says in the error of a failed job that the dead letters have no copy of its message.
    pub fn note_missing_dead_letter(&mut self) {
        if let JobState::Ended { end: End::Failure(error), .. } = &mut self.fields_mut().stage {
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
        let stage = JobState::Ended { end, finished_at: at(1) };
        forged!(started(), stage = stage, meta = Some(Json::null()))
    }

    fn parts(record: &Record) -> [bool; 4] {
        let JobState::Ended { end: End::Failure(error), .. } = &record.stage else { panic!("{record:?}") };
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
        let JobState::Ended { end: End::Failure(error), .. } = &record.stage else { panic!("{record:?}") };
        assert!(error.message.ends_with("(no copy could be kept in the dead letters)"), "{}", error.message);
    }
}
