//! Records as clients and hosts would write them, made by the protocol's own state machine.

use wasmhost_nats::{now, random_token, random_write_id};
use wasmhost_protocol::ids::{HostId, JobKey, QueueName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::{DeliveryOrdinal, End, Payload, Record, Revoke, Token};
use wasmhost_protocol::timestamp::Timestamp;

/// The queue that jobs are in unless they name another one.
#[must_use]
pub fn queue() -> QueueName {
    QueueName::default_queue()
}

/// Parses a key that a test spells out.
#[must_use]
pub fn key(text: &str) -> JobKey {
    JobKey::parse(text).expect("a key")
}

/// A job without options, submitted now.
#[must_use]
pub fn submission(key: &JobKey) -> JobSpec {
    JobSpec {
        key: key.clone(),
        queue: queue(),
        submitted_at: now(),
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

/// A host's claim of this job, from the first delivery of its message.
#[must_use]
pub fn claim(job: JobSpec, token: Token) -> Claim {
    Claim {
        job,
        host: HostId::parse("h-1").expect("a host id"),
        token,
        // All claims are from deliveries of one message by one consumer, so that their counts alone order them.
        msg_seq: 1,
        delivery: DeliveryOrdinal { created: Timestamp::from_unix_ms(0), count: 1 },
        digest: None,
        max_attempts: None,
        max_lost: 3,
        track_started: true,
        adopt: false,
    }
}

/// The record that follows `before` by this transition.
#[must_use]
pub fn next(before: Option<&Record>, by: Transition, writer: Writer) -> Record {
    let intent = WriteIntent { transition: by, writer, now: now(), write: random_write_id() };
    transition(before, &intent).expect("a legal transition")
}

/// The record of a job that was submitted.
#[must_use]
pub fn pending(key: &JobKey) -> Record {
    submitted(submission(key))
}

/// The record of this submission.
#[must_use]
pub fn submitted(job: JobSpec) -> Record {
    next(None, Transition::Submit(job), Writer::Client)
}

/// The record of a job that a host claimed before anybody recorded it, and the claim's token.
#[must_use]
pub fn claimed(key: &JobKey) -> (Record, Token) {
    let token = random_token();
    (claimed_after(None, key, token, 1), token)
}

/// The record of a claim that follows `before`, from the delivery with this count.
#[must_use]
pub fn claimed_after(before: Option<&Record>, key: &JobKey, token: Token, count: u64) -> Record {
    let mut claim = claim(submission(key), token);
    claim.delivery.count = count;
    next(before, Transition::Claim(Box::new(claim)), Writer::Host)
}

/// The record of a retry that is charged and may follow at once.
#[must_use]
pub fn retried(before: &Record, token: Token) -> Record {
    let retry =
        Transition::Retry { reason: "flaky".to_owned(), not_before: now(), charge: true, usage: None };
    next(Some(before), retry, Writer::Owner(token))
}

/// The record of an attempt that returned null.
#[must_use]
pub fn succeeded(before: &Record, token: Token) -> Record {
    next(Some(before), finish(End::Success(Payload::Inline(Json::null()))), Writer::Owner(token))
}

/// The record of a job whose attempt a client asked to stop now.
#[must_use]
pub fn revoke_requested(before: &Record) -> Record {
    let revoke = Revoke { reason: "no longer needed".to_owned(), stop_at: now() };
    next(Some(before), Transition::RequestRevoke(revoke), Writer::Client)
}

/// The transition that ends a job so, without usage and denied requests.
#[must_use]
pub fn finish(end: End) -> Transition {
    Transition::Finish { end, usage: None, denied: Vec::new() }
}

/// Returns a record that no history leads to: `record` with some of its JSON fields changed.
///
/// # Panics
///
/// `fields` is no object, or the result is no record.
#[must_use]
pub fn forged(record: &Record, fields: serde_json::Value) -> Record {
    // Only the state machine can set a record's fields, so they are changed in its JSON.
    let mut json: serde_json::Value = serde_json::from_slice(&record.to_bytes()).expect("a record is JSON");
    let serde_json::Value::Object(fields) = fields else { panic!("fields are an object") };
    for (name, value) in fields {
        json[name] = value;
    }
    Record::from_bytes(json.to_string().as_bytes()).expect("fields of a record")
}
