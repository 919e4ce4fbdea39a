//! Records that the unit tests share. They are built by transitions, as all records are.

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::{HostId, JobKey, QueueName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::{
    BlobRef, DeliveryOrdinal, End, ErrorKind, JobError, Payload, Record, Token, WriteId,
};
use wasmhost_protocol::timestamp::Timestamp;

/// Returns the time that is so many seconds after the epoch.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(second * 1000)
}

/// Returns the token of the job's only claim.
pub(crate) fn token() -> Token {
    Token::from_random(1)
}

/// Returns a blob with this name.
pub(crate) fn blob(name: &str) -> BlobRef {
    BlobRef { name: name.to_owned(), digest: Digest::of(name.as_bytes()), bytes: 1 }
}

/// Returns the record of a job that was submitted, to be run at `not_before`.
pub(crate) fn pending(not_before: Option<Timestamp>) -> Record {
    let job = JobSpec { not_before, ..job() };
    follow(None, Transition::Submit(job), Writer::Client)
}

/// Returns the record of a job that was claimed once.
pub(crate) fn started() -> Record {
    let claim = Claim {
        job: job(),
        host: HostId::parse("h").unwrap(),
        token: token(),
        msg_seq: 1,
        delivery: DeliveryOrdinal { created: at(0), count: 1 },
        digest: None,
        max_attempts: None,
        max_lost: 1,
        track_started: true,
        adopt: false,
    };
    follow(None, Transition::Claim(Box::new(claim)), Writer::Host)
}

/// Returns a claimed record that names this checkpoint.
pub(crate) fn with_checkpoint(record: &Record, name: &str) -> Record {
    follow(Some(record), Transition::Checkpoint(blob(name)), Writer::Owner(token()))
}

/// Returns a claimed record whose attempt ended, and that waits for another one until `not_before`.
pub(crate) fn retry(record: &Record, not_before: Timestamp) -> Record {
    let reason = "on purpose".to_owned();
    let transition = Transition::Retry { reason, not_before, charge: true, usage: None };
    follow(Some(record), transition, Writer::Owner(token()))
}

/// Returns a claimed record whose job ended in SUCCESS with this result.
pub(crate) fn succeeded(record: &Record, result: Payload) -> Record {
    let transition = Transition::Finish { end: End::Success(result), usage: None, denied: Vec::new() };
    follow(Some(record), transition, Writer::Owner(token()))
}

/// Returns a record whose job a host ended without another attempt.
pub(crate) fn failed(record: &Record) -> Record {
    let error = JobError::new(ErrorKind::BadJob, "on purpose");
    let transition = Transition::Finish { end: End::Failure(error), usage: None, denied: Vec::new() };
    follow(Some(record), transition, Writer::Host)
}

/// Returns a result that is in the record.
pub(crate) fn inline() -> Payload {
    Payload::Inline(Json::null())
}

fn job() -> JobSpec {
    JobSpec {
        key: JobKey::parse("m.f.1").unwrap(),
        queue: QueueName::default_queue(),
        submitted_at: at(0),
        not_before: None,
        expires_at: None,
        max_attempts: None,
        args_digest: None,
        digest: None,
        parent: None,
        notify: None,
        after: None,
    }
}

fn follow(record: Option<&Record>, next: Transition, writer: Writer) -> Record {
    let intent = WriteIntent { transition: next, writer, now: at(10), write: WriteId::from_random(1) };
    transition(record, &intent).unwrap()
}
