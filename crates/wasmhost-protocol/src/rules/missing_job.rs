//! Decides how a job ends whose message is gone. The reconciler finds out whether it is gone
//! ([R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13)).

use crate::machine::{IllegalTransition, Transition, WriteIntent, Writer, transition};
use crate::record::{End, ErrorKind, JobError, Record, WriteId};
use crate::timestamp::Timestamp;

/// Returns the record that ends a job whose message is gone: REVOKED where a revoke is recorded or the job
/// has expired, else FAILURE with `NotPublished` where no host has claimed the job, else with `Lost`. The
/// error is that the job has ended already.
pub fn end_missing_job(record: &Record, now: Timestamp, write: WriteId) -> Result<Record, IllegalTransition> {
    // A revoke comes first: a failure would hide from its client that the job was revoked.
    let ending = if record.revoke.is_some() || record.is_expired(now) {
        Transition::Revoked { reason: "expired".to_owned(), usage: None }
    } else {
        Transition::Finish {
            end: End::Failure(failure_without_message(record)),
            usage: None,
            denied: Vec::new(),
        }
    };
    transition(Some(record), &WriteIntent { transition: ending, writer: Writer::Reconciler, now, write })
}

fn failure_without_message(record: &Record) -> JobError {
    // A claim proves that the message was in the queue. Without one it may never have been published, so that
    // its submitter is told to submit the job again.
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
    use crate::machine::sample::{at, forged, started, submission, success};
    use crate::record::{JobState, Revoke, StateLabel};

    fn pending() -> Record {
        let intent = WriteIntent {
            transition: Transition::Submit(submission()),
            writer: Writer::Client,
            now: at(0),
            write: WriteId::from_random(1),
        };
        transition(None, &intent).unwrap()
    }

    fn describe_end(record: &Record) -> String {
        let after = end_missing_job(record, at(100), WriteId::from_random(9)).unwrap();
        if let JobState::Ended { end: End::Failure(error), .. } = &after.state {
            return error.kind.as_str().to_owned();
        }
        after.label().to_string()
    }

    #[test]
    fn a_job_without_a_message_ends_by_what_was_known_of_it() {
        let revoke = Some(Revoke { reason: "unwanted".to_owned(), stop_at: at(0) });
        assert_eq!(describe_end(&pending()), "NotPublished");
        assert_eq!(describe_end(&started()), "Lost");
        assert_eq!(describe_end(&forged!(started(), revoke = revoke)), StateLabel::Revoked.as_str());
        assert_eq!(
            describe_end(&forged!(pending(), expires_at = Some(at(99)))),
            StateLabel::Revoked.as_str()
        );
        let ended = forged!(started(), state = JobState::Ended { end: success(), finished_at: at(1) });
        assert_eq!(
            end_missing_job(&ended, at(100), WriteId::from_random(9)),
            Err(IllegalTransition::Ended(StateLabel::Success))
        );
    }
}
