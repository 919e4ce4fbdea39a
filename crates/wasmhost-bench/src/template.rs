//! The messages of one job, as a client and a host write them. The ceiling sends the same bytes.

use bytes::Bytes;
use nats_wire::HeaderBlock;
use serde_json::json;
use wasmhost_protocol::arguments::args_digest;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::{HostId, Inbox, JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::names::header;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{DeliveryOrdinal, End, Payload, Record, Usage, WriteId};
use wasmhost_protocol::timestamp::Timestamp;

use crate::error::{BenchError, Doing};

/// The task that every job of a measurement runs.
pub(crate) const TASK: &str = "noop.run";

/// The messages of one job. They differ from job to job only in their key.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) arguments: Bytes,
    pub(crate) pending: Bytes,
    pub(crate) started: Bytes,
    pub(crate) succeeded: Bytes,
    /// How long the terminal record is kept, in seconds.
    pub(crate) ttl: String,
    args_digest: String,
    submitted_at: String,
}

/// The arguments of a job, of about so many bytes.
pub(crate) fn arguments(bytes: usize) -> serde_json::Value {
    let without_text = json!({ "text": "" }).to_string().len();
    json!({ "text": "x".repeat(bytes.saturating_sub(without_text)) })
}

/// The key of a job. All keys have the same length, as those have that clients make themselves.
pub(crate) fn key(number: u64) -> JobKey {
    let task = TaskName::parse(TASK).expect("a task's name");
    JobKey::new(task, JobId::parse(&format!("{number:036}")).expect("digits are an id"))
}

/// An inbox as long as those of clients.
const INBOX: &str = "_INBOX.0123456789abcdef0123456789abcdef.12345678901234567890";

impl Template {
    /// Makes the messages of a job whose arguments have so many bytes, and whose end is told if it is awaited.
    pub(crate) fn new(argument_bytes: usize, is_awaited: bool) -> Result<Self, BenchError> {
        let arguments = Bytes::from(arguments(argument_bytes).to_string());
        let digest = args_digest(&arguments);
        let now = Timestamp::from_unix_ms(1_800_000_000_123);
        let inbox = Inbox::parse(INBOX).doing("name an inbox")?;
        let job = JobSpec {
            key: key(0),
            queue: QueueName::default_queue(),
            submitted_at: now,
            not_before: None,
            expires_at: None,
            max_attempts: None,
            args_digest: Some(digest),
            digest: None,
            parent: None,
            notify: is_awaited.then_some(inbox),
            after: None,
        };
        let policy = Policy::default();
        let pending = follow(None, Transition::Submit(job.clone()), Writer::Client, now)?;
        let token = wasmhost_nats::random_token();
        let claim = Claim {
            job,
            host: HostId::parse("0123456789ab").doing("name a host")?,
            token,
            msg_seq: 123_456,
            delivery: DeliveryOrdinal { created: now, count: 1 },
            digest: Some(Digest::of(b"a component")),
            max_attempts: policy.retry.max_attempts,
            max_lost: policy.retry.max_lost,
            track_started: true,
            adopt: false,
        };
        let claimed = Transition::Claim(Box::new(claim));
        let started = follow(Some(&pending), claimed, Writer::Host, now)?;
        let usage = Some(Usage { cpu_ms: 0, memory_peak_bytes: 65_536, wall_ms: 1 });
        let end = End::Success(Payload::Inline(Json::encode(&188).doing("write a result")?));
        let ended = Transition::Finish { end, usage, denied: Vec::new() };
        let succeeded = follow(Some(&started), ended, Writer::Owner(token), now)?;
        Ok(Self {
            arguments,
            pending: pending.to_bytes().into(),
            started: started.to_bytes().into(),
            succeeded: succeeded.to_bytes().into(),
            ttl: policy.result_ttl.as_secs().to_string(),
            args_digest: digest.to_string(),
            submitted_at: now.to_string(),
        })
    }

    /// The headers of a job's message; `inbox` is told the end of the job.
    pub(crate) fn job_headers(
        &self,
        key: &JobKey,
        revision: u64,
        stream: &str,
        inbox: Option<&str>,
    ) -> HeaderBlock {
        let revision = revision.to_string();
        let message_id = format!("{key}.{revision}");
        let job = [
            (header::ARGS_DIGEST, self.args_digest.as_str()),
            (header::REVISION, &revision),
            (header::SUBMITTED_AT, &self.submitted_at),
            (header::MSG_ID, &message_id),
            (header::EXPECTED_STREAM, stream),
            (header::EXPECTED_LAST_SUBJECT_SEQUENCE, "0"),
        ];
        headers(job.into_iter().chain(inbox.map(|inbox| (header::NOTIFY, inbox))))
    }
}

/// The headers of a write that expects this revision.
pub(crate) fn expecting(revision: u64, ttl: Option<&str>) -> HeaderBlock {
    let revision = revision.to_string();
    let expected = (header::EXPECTED_LAST_SUBJECT_SEQUENCE, revision.as_str());
    headers([expected].into_iter().chain(ttl.map(|ttl| (header::TTL, ttl))))
}

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderBlock {
    HeaderBlock::of(pairs).expect("numbers and names can stand in headers")
}

fn follow(
    record: Option<&Record>,
    next: Transition,
    writer: Writer,
    now: Timestamp,
) -> Result<Record, BenchError> {
    let write = WriteId::from_random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    transition(record, &WriteIntent { transition: next, writer, now, write }).doing("make a record")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_the_size_that_is_asked_for() {
        assert_eq!(arguments(200).to_string().len(), 200);
        assert_eq!(arguments(0), json!({ "text": "" }));
    }

    #[test]
    fn the_messages_are_those_of_a_job() {
        let template = Template::new(200, true).unwrap();
        for (bytes, state) in
            [(&template.pending, "PENDING"), (&template.started, "STARTED"), (&template.succeeded, "SUCCESS")]
        {
            assert_eq!(Record::from_bytes(bytes).unwrap().label().as_str(), state);
        }
    }
}
