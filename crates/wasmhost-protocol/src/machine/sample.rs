//! Values that the tests of the state machine, of the rules and of the written form share.

use super::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use crate::ids::{HostId, JobKey, QueueName, StateName};
use crate::json::Json;
use crate::record::{DeliveryOrdinal, End, ErrorKind, JobError, Payload, Record, Token, WriteId};
use crate::timestamp::Timestamp;

/// Changes some fields of a record, which makes a record that no history leads to.
macro_rules! forged {
    ($base:expr, $($field:ident = $value:expr),+ $(,)?) => {{
        let mut record = $base;
        $(record.$field = $value;)+
        record
    }};
}
pub(crate) use forged;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(second * 1000)
}

pub(crate) fn token(claim: u64) -> Token {
    Token::from_random(u128::from(claim))
}

pub(crate) fn submission() -> JobSpec {
    JobSpec {
        key: JobKey::parse("m.f.1").unwrap(),
        queue: QueueName::default_queue(),
        submitted_at: at(0),
        not_before: None,
        expires_at: None,
        max_attempts: Some(2),
        args_digest: None,
        digest: None,
        parent: None,
        notify: None,
        after: None,
    }
}

/// Returns the claim that delivery `count` of message 1 makes.
pub(crate) fn claim(count: u64) -> Claim {
    Claim {
        job: submission(),
        host: HostId::parse("h").unwrap(),
        token: token(count),
        msg_seq: 1,
        delivery: DeliveryOrdinal { created: at(0), count },
        digest: None,
        max_attempts: None,
        max_lost: 1,
        track_started: true,
        adopt: false,
    }
}

pub(crate) fn progress() -> Transition {
    Transition::Progress { state: StateName::parse("HALFWAY").unwrap(), meta: None }
}

pub(crate) fn retry(not_before: Timestamp, charge: bool) -> Transition {
    Transition::Retry { reason: "again".to_owned(), not_before, charge, usage: None }
}

pub(crate) fn success() -> End {
    End::Success(Payload::Inline(Json::null()))
}

pub(crate) fn failure(kind: ErrorKind) -> End {
    End::Failure(JobError::new(kind, "it failed"))
}

pub(crate) fn finish(end: End) -> Transition {
    Transition::Finish { end, usage: None, denied: Vec::new() }
}

pub(crate) fn revoked() -> Transition {
    Transition::Revoked { reason: "unwanted".to_owned(), usage: None }
}

/// Returns a record in STARTED, claimed by [`claim`] 1.
pub(crate) fn started() -> Record {
    let intent = WriteIntent {
        transition: Transition::Claim(Box::new(claim(1))),
        writer: Writer::Host,
        now: at(100),
        write: WriteId::from_random(9),
    };
    transition(None, &intent).unwrap()
}
