//! Values that the state machine's tests share.

use super::{Claim, Event, Submission};
use crate::{
    Delivery, End, ErrorKind, HostId, JobError, JobKey, Json, Payload, QueueName, StateName, Timestamp, Token,
};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(second * 1000)
}

pub(super) fn token(claim: u64) -> Token {
    Token::from_random(u128::from(claim))
}

pub(super) fn submission() -> Submission {
    Submission {
        key: JobKey::parse("m.f.1").unwrap(),
        queue: QueueName::default_queue(),
        submitted_at: at(0),
        not_before: None,
        expires_at: None,
        max_attempts: Some(2),
        args_digest: None,
        digest: None,
        parent: None,
        after: None,
    }
}

/// The claim of delivery `count` of message 1.
pub(super) fn claim(count: u64) -> Claim {
    Claim {
        job: submission(),
        host: HostId::parse("h").unwrap(),
        token: token(count),
        msg_seq: 1,
        delivery: Delivery { created: at(0), count },
        digest: None,
        max_attempts: None,
        max_lost: 1,
        track_started: true,
        adopt: false,
    }
}

pub(super) fn progress() -> Event {
    Event::Progress { state: StateName::parse("HALFWAY").unwrap(), meta: None }
}

pub(super) fn retry(not_before: Timestamp, charge: bool) -> Event {
    Event::Retry { reason: "again".to_owned(), not_before, charge, usage: None }
}

pub(super) fn success() -> End {
    End::Success(Payload::Inline(Json::null()))
}

pub(super) fn failure(kind: ErrorKind) -> End {
    End::Failure(JobError::new(kind, "it failed"))
}

pub(super) fn finish(end: End) -> Event {
    Event::Finish { end, usage: None, denied: Vec::new() }
}

pub(super) fn revoked() -> Event {
    Event::Revoked { reason: "unwanted".to_owned(), usage: None }
}
