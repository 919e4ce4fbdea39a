//! R13: how a job ends whose message is gone. Whether it is gone is the reconciler's to find out.

use crate::machine::{Illegal, Transition, WriteIntent, Writer, transition};
use crate::record::{End, ErrorKind, JobError, Record, WriteId};
use crate::timestamp::Timestamp;

/// The record that ends a job whose message is gone: REVOKED where that is due, else `NotPublished` where nobody ever
/// claimed it, else `Lost`.
pub fn end_missing_job(record: &Record, now: Timestamp, write: WriteId) -> Result<Record, Illegal> {
    let event = if record.revoke.is_some() || record.is_expired(now) {
        Transition::Revoked { reason: "expired".to_owned(), usage: None }
    } else {
        Transition::Finish { end: End::Failure(error(record)), usage: None, denied: Vec::new() }
    };
    transition(Some(record), &WriteIntent { transition: event, writer: Writer::Reconciler, now, write })
}

fn error(record: &Record) -> JobError {
    if record.attempt == 0 {
        let why = "it was recorded, but no message of it is queued or scheduled: submit it anew";
        JobError::new(ErrorKind::NotPublished, why)
    } else {
        JobError::new(ErrorKind::Lost, "its message is gone from the job stream: nothing can run it any more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::sample::forged;
    use crate::machine::sample::{at, started, submission, success};
    use crate::record::{JobState, Revoke, StateLabel};

    fn pending() -> Record {
        let submit = Transition::Submit(submission());
        let intent = WriteIntent {
            transition: submit,
            writer: Writer::Client,
            now: at(0),
            write: WriteId::from_random(1),
        };
        transition(None, &intent).unwrap()
    }

    fn end(record: &Record) -> String {
        let after = end_missing_job(record, at(100), WriteId::from_random(9)).unwrap();
        match &after.stage {
            JobState::Ended { end: End::Failure(error), .. } => error.kind.as_str().to_owned(),
            _ => after.state().to_string(),
        }
    }

    #[test]
    fn a_job_without_a_message_ends_by_what_was_known_of_it() {
        let revoke = Some(Revoke { reason: "unwanted".to_owned(), stop_at: at(0) });
        assert_eq!(end(&pending()), "NotPublished");
        assert_eq!(end(&started()), "Lost");
        assert_eq!(end(&forged!(started(), revoke = revoke)), StateLabel::Revoked.as_str());
        assert_eq!(end(&forged!(pending(), expires_at = Some(at(99)))), StateLabel::Revoked.as_str());
        let ended = forged!(started(), stage = JobState::Ended { end: success(), finished_at: at(1) });
        assert_eq!(
            end_missing_job(&ended, at(100), WriteId::from_random(9)),
            Err(Illegal::Ended(StateLabel::Success))
        );
    }
}
