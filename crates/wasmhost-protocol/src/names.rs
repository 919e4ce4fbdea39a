//! Every NATS subject, stream, bucket, key and header string there is, derived from one namespace. No other source file
//! spells one. Names come only from parsed parts, so that no wildcard reaches the server but in the filters.
//! Longer than other files for that reason: one place to look is worth more than the limit.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{HostId, InvalidName, JobId, JobKey, ModuleName, QueueName, TaskName};

/// The prefix of all names of one deployment, so that several can share a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Namespace(Box<str>);

impl Namespace {
    /// Parses 1-32 of a-z, 0-9 and `-`, not starting with `-`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed) {
            return Ok(Self(text.into()));
        }
        Err(invalid("namespace", "1-32 of a-z, 0-9 and `-`, not starting with `-`", text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self("wasmhost".into())
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Namespace {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}

/// What a subject of the job stream says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobSubject {
    /// The queue.
    pub queue: QueueName,
    /// The task.
    pub task: TaskName,
    /// The id; none where the publisher gave none, and it is derived from the stream's sequence.
    pub id: Option<JobId>,
}

/// The names of one deployment. The examples are those of the namespace `wasmhost`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Names {
    lower: Arc<str>,
    upper: Arc<str>,
}

impl Names {
    /// The names under `namespace`.
    #[must_use]
    pub fn new(namespace: &Namespace) -> Self {
        Self { lower: namespace.as_str().into(), upper: namespace.as_str().to_ascii_uppercase().into() }
    }

    fn parse_key(&self, kind: &str, what: &'static str, subject: &str) -> Result<JobKey, InvalidName> {
        JobKey::parse(after(&format!("{}.{kind}.", self.lower), what, subject)?)
    }
}

/// Jobs, and the consumers of their queues.
impl Names {
    /// The stream of jobs: `WASMHOST_JOBS`.
    #[must_use]
    pub fn jobs_stream(&self) -> String {
        format!("{}_JOBS", self.upper)
    }

    /// Its subjects, without and with an id; any other number of tokens is refused by the server itself.
    #[must_use]
    pub fn jobs_stream_subjects(&self) -> [String; 2] {
        [format!("{}.jobs.*.*.*", self.lower), format!("{}.jobs.*.*.*.*", self.lower)]
    }

    /// All jobs, the destination of the source's subject transform: `wasmhost.jobs.>`.
    #[must_use]
    pub fn jobs_filter(&self) -> String {
        format!("{}.jobs.>", self.lower)
    }

    /// The jobs of one queue: `wasmhost.jobs.<queue>.>`.
    #[must_use]
    pub fn jobs_of_queue(&self, queue: &QueueName) -> String {
        format!("{}.jobs.{queue}.>", self.lower)
    }

    /// One job: `wasmhost.jobs.<queue>.<key>`.
    #[must_use]
    pub fn job_subject(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.jobs.{queue}.{key}", self.lower)
    }

    /// One job in whichever queue: `wasmhost.jobs.*.<key>`.
    #[must_use]
    pub fn job_anywhere(&self, key: &JobKey) -> String {
        format!("{}.jobs.*.{key}", self.lower)
    }

    /// Jobs whose id is derived: `wasmhost.jobs.<queue>.<module>.<function>`.
    #[must_use]
    pub fn job_without_id(&self, queue: &QueueName, task: &TaskName) -> String {
        format!("{}.jobs.{queue}.{task}", self.lower)
    }

    /// The same in whichever queue: `wasmhost.jobs.*.<module>.<function>`.
    #[must_use]
    pub fn without_id_anywhere(&self, task: &TaskName) -> String {
        format!("{}.jobs.*.{task}", self.lower)
    }

    /// Reads a subject of the job stream.
    pub fn parse_job_subject(&self, subject: &str) -> Result<JobSubject, InvalidName> {
        let rest = after(&format!("{}.jobs.", self.lower), "job subject", subject)?;
        let Some((queue, target)) = rest.split_once('.') else {
            return Err(invalid(
                "job subject",
                "`<queue>.<module>.<function>[.<id>]` behind its prefix",
                subject,
            ));
        };
        let (task, id) = parse_target(target)?;
        Ok(JobSubject { queue: QueueName::parse(queue)?, task, id })
    }

    /// The durable consumer of a queue: `wasmhost-<queue>`.
    #[must_use]
    pub fn consumer(&self, queue: &QueueName) -> String {
        format!("{}-{queue}", self.lower)
    }
}

/// Schedules, and the messages that they fire.
impl Names {
    /// The stream of schedules: `WASMHOST_SCHEDULES`.
    #[must_use]
    pub fn schedules_stream(&self) -> String {
        format!("{}_SCHEDULES", self.upper)
    }

    /// Its subjects: the schedules, and what they fire.
    #[must_use]
    pub fn schedule_subjects(&self) -> [String; 2] {
        [format!("{}.schedules.>", self.lower), self.due_filter()]
    }

    /// The schedule of one job: `wasmhost.schedules.<queue>.<key>`.
    #[must_use]
    pub fn schedule(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.schedules.{queue}.{key}", self.lower)
    }

    /// The same for whichever queue: `wasmhost.schedules.*.<key>`.
    #[must_use]
    pub fn schedule_anywhere(&self, key: &JobKey) -> String {
        format!("{}.schedules.*.{key}", self.lower)
    }

    /// All fired messages, the source of the subject transform: `wasmhost.due.>`.
    #[must_use]
    pub fn due_filter(&self) -> String {
        format!("{}.due.>", self.lower)
    }

    /// What the schedule of one job fires: `wasmhost.due.<queue>.<key>`.
    #[must_use]
    pub fn due(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.due.{queue}.{key}", self.lower)
    }

    /// The same for whichever queue: `wasmhost.due.*.<key>`.
    #[must_use]
    pub fn due_anywhere(&self, key: &JobKey) -> String {
        format!("{}.due.*.{key}", self.lower)
    }
}

/// States and events.
impl Names {
    /// The bucket of records: `wasmhost-states`.
    #[must_use]
    pub fn states_bucket(&self) -> String {
        format!("{}-states", self.lower)
    }

    /// The stream behind it: `KV_wasmhost-states`.
    #[must_use]
    pub fn states_stream(&self) -> String {
        kv_stream(&self.states_bucket())
    }

    /// The subject of a job's record: `$KV.wasmhost-states.<key>`.
    #[must_use]
    pub fn state_subject(&self, key: &JobKey) -> String {
        kv_subject(&self.states_bucket(), key)
    }

    /// All records: `$KV.wasmhost-states.>`.
    #[must_use]
    pub fn states_filter(&self) -> String {
        kv_subject(&self.states_bucket(), '>')
    }

    /// The records of one module: `$KV.wasmhost-states.<module>.>`.
    #[must_use]
    pub fn states_of_module(&self, module: &ModuleName) -> String {
        kv_subject(&self.states_bucket(), format_args!("{module}.>"))
    }

    /// The records of one task: `$KV.wasmhost-states.<module>.<function>.*`.
    #[must_use]
    pub fn states_of_task(&self, task: &TaskName) -> String {
        kv_subject(&self.states_bucket(), format_args!("{task}.*"))
    }

    /// Reads the subject of a record.
    pub fn parse_state_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        JobKey::parse(after(&kv_subject(&self.states_bucket(), ""), "state subject", subject)?)
    }

    /// Source and destination of the bucket's republish: `$KV.wasmhost-states.>`, `wasmhost.events.>`.
    #[must_use]
    pub fn states_republish(&self) -> (String, String) {
        (self.states_filter(), self.events_filter())
    }

    /// All events: `wasmhost.events.>`.
    #[must_use]
    pub fn events_filter(&self) -> String {
        format!("{}.events.>", self.lower)
    }

    /// The events of one module: `wasmhost.events.<module>.>`.
    #[must_use]
    pub fn events_of_module(&self, module: &ModuleName) -> String {
        format!("{}.events.{module}.>", self.lower)
    }

    /// The events of one job: `wasmhost.events.<key>`.
    #[must_use]
    pub fn event_subject(&self, key: &JobKey) -> String {
        format!("{}.events.{key}", self.lower)
    }

    /// The events of one task: `wasmhost.events.<module>.<function>.*`.
    #[must_use]
    pub fn events_of_task(&self, task: &TaskName) -> String {
        format!("{}.events.{task}.*", self.lower)
    }

    /// Reads the subject of an event.
    pub fn parse_event_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("events", "event subject", subject)
    }
}

/// Modules, blobs and hosts.
impl Names {
    /// The bucket of the module registry: `wasmhost-modules`.
    #[must_use]
    pub fn modules_bucket(&self) -> String {
        format!("{}-modules", self.lower)
    }

    /// The stream behind it: `KV_wasmhost-modules`.
    #[must_use]
    pub fn modules_stream(&self) -> String {
        kv_stream(&self.modules_bucket())
    }

    /// All entries: `$KV.wasmhost-modules.>`.
    #[must_use]
    pub fn modules_filter(&self) -> String {
        kv_subject(&self.modules_bucket(), '>')
    }

    /// The subject of a module's entry: `$KV.wasmhost-modules.<module>`.
    #[must_use]
    pub fn module_subject(&self, module: &ModuleName) -> String {
        kv_subject(&self.modules_bucket(), module)
    }

    /// Reads the subject of a module's entry.
    pub fn parse_module_subject(&self, subject: &str) -> Result<ModuleName, InvalidName> {
        ModuleName::parse(after(&kv_subject(&self.modules_bucket(), ""), "module subject", subject)?)
    }

    /// The object store of components, named there by digest: `wasmhost-components`.
    #[must_use]
    pub fn components_store(&self) -> String {
        format!("{}-components", self.lower)
    }

    /// The stream behind it: `OBJ_wasmhost-components`.
    #[must_use]
    pub fn components_stream(&self) -> String {
        object_stream(&self.components_store())
    }

    /// Its subjects: chunks and descriptions.
    #[must_use]
    pub fn components_subjects(&self) -> [String; 2] {
        object_subjects(&self.components_store())
    }

    /// The object store of results and checkpoints too large for a record: `wasmhost-blobs`.
    #[must_use]
    pub fn blobs_store(&self) -> String {
        format!("{}-blobs", self.lower)
    }

    /// The stream behind it: `OBJ_wasmhost-blobs`.
    #[must_use]
    pub fn blobs_stream(&self) -> String {
        object_stream(&self.blobs_store())
    }

    /// Its subjects: chunks and descriptions.
    #[must_use]
    pub fn blobs_subjects(&self) -> [String; 2] {
        object_subjects(&self.blobs_store())
    }

    /// The name of an attempt's blob there, never shared between claims: `<key>/<attempt>-<token>`.
    #[must_use]
    pub fn blob_name(&self, key: &JobKey, attempt: u32, token: &str) -> String {
        format!("{key}/{attempt}-{token}")
    }

    /// The bucket of hosts that run: `wasmhost-hosts`.
    #[must_use]
    pub fn hosts_bucket(&self) -> String {
        format!("{}-hosts", self.lower)
    }

    /// The stream behind it: `KV_wasmhost-hosts`.
    #[must_use]
    pub fn hosts_stream(&self) -> String {
        kv_stream(&self.hosts_bucket())
    }

    /// All presences: `$KV.wasmhost-hosts.>`.
    #[must_use]
    pub fn hosts_filter(&self) -> String {
        kv_subject(&self.hosts_bucket(), '>')
    }

    /// The subject of a host's presence: `$KV.wasmhost-hosts.<id>`.
    #[must_use]
    pub fn host_subject(&self, host: &HostId) -> String {
        kv_subject(&self.hosts_bucket(), host)
    }
}

/// What is kept for people: logs and dead jobs.
impl Names {
    /// The stream of logs: `WASMHOST_LOGS`.
    #[must_use]
    pub fn logs_stream(&self) -> String {
        format!("{}_LOGS", self.upper)
    }

    /// All logs: `wasmhost.logs.>`.
    #[must_use]
    pub fn logs_filter(&self) -> String {
        format!("{}.logs.>", self.lower)
    }

    /// The logs of one job: `wasmhost.logs.<key>`.
    #[must_use]
    pub fn logs_subject(&self, key: &JobKey) -> String {
        format!("{}.logs.{key}", self.lower)
    }

    /// The stream of jobs that ended in FAILURE: `WASMHOST_DEAD`.
    #[must_use]
    pub fn dead_stream(&self) -> String {
        format!("{}_DEAD", self.upper)
    }

    /// All of them: `wasmhost.dead.>`.
    #[must_use]
    pub fn dead_filter(&self) -> String {
        format!("{}.dead.>", self.lower)
    }

    /// One of them: `wasmhost.dead.<key>`.
    #[must_use]
    pub fn dead_subject(&self, key: &JobKey) -> String {
        format!("{}.dead.{key}", self.lower)
    }

    /// A message that could not be read as a job, by its stream sequence: `wasmhost.dead.unreadable.<sequence>`.
    #[must_use]
    pub fn dead_unreadable(&self, sequence: u64) -> String {
        format!("{}.dead.unreadable.{sequence}", self.lower)
    }
}

/// The service, and what hosts tell each other.
impl Names {
    /// The name of the NATS service: `wasmhost`.
    #[must_use]
    pub fn service_name(&self) -> String {
        self.lower.as_ref().to_owned()
    }

    /// What the endpoint `submit` listens on: `wasmhost.submit.>`.
    #[must_use]
    pub fn submit_filter(&self) -> String {
        format!("{}.submit.>", self.lower)
    }

    /// Where a job is submitted: `wasmhost.submit.<module>.<function>[.<id>]`.
    #[must_use]
    pub fn submit_subject(&self, task: &TaskName, id: Option<&JobId>) -> String {
        match id {
            Some(id) => format!("{}.submit.{task}.{id}", self.lower),
            None => format!("{}.submit.{task}", self.lower),
        }
    }

    /// Reads the subject of a request to submit: the task, and the id where one is given.
    pub fn parse_submit_subject(&self, subject: &str) -> Result<(TaskName, Option<JobId>), InvalidName> {
        parse_target(after(&format!("{}.submit.", self.lower), "submit subject", subject)?)
    }

    /// What the endpoint `status` listens on: `wasmhost.status.>`.
    #[must_use]
    pub fn status_filter(&self) -> String {
        format!("{}.status.>", self.lower)
    }

    /// Where a job's record is asked for: `wasmhost.status.<key>`.
    #[must_use]
    pub fn status_subject(&self, key: &JobKey) -> String {
        format!("{}.status.{key}", self.lower)
    }

    /// Reads the subject of a request for a record.
    pub fn parse_status_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("status", "status subject", subject)
    }

    /// What the endpoint `revoke` listens on: `wasmhost.revoke.>`.
    #[must_use]
    pub fn revoke_filter(&self) -> String {
        format!("{}.revoke.>", self.lower)
    }

    /// Where a job is revoked: `wasmhost.revoke.<key>`.
    #[must_use]
    pub fn revoke_subject(&self, key: &JobKey) -> String {
        format!("{}.revoke.{key}", self.lower)
    }

    /// Reads the subject of a request to revoke.
    pub fn parse_revoke_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("revoke", "revoke subject", subject)
    }

    /// All revoke broadcasts: `wasmhost.control.revoke.>`.
    #[must_use]
    pub fn revoke_broadcast_filter(&self) -> String {
        format!("{}.control.revoke.>", self.lower)
    }

    /// Wakes the host that runs a revoked job: `wasmhost.control.revoke.<key>`.
    #[must_use]
    pub fn revoke_broadcast(&self, key: &JobKey) -> String {
        format!("{}.control.revoke.{key}", self.lower)
    }

    /// Reads the subject of a revoke broadcast.
    pub fn parse_revoke_broadcast(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("control.revoke", "revoke broadcast", subject)
    }

    /// What reply subjects start with: `_INBOX`, whatever the namespace, so that any NATS client can ask.
    #[must_use]
    pub fn inbox_prefix(&self) -> &'static str {
        "_INBOX"
    }

    /// Whether an endpoint may answer there: `_INBOX.…`, a user's own `_INBOX_<user>.…`, or `_R_.…`, which the server
    /// puts in place of the inbox of another account. A reply is written with the host's own rights.
    #[must_use]
    pub fn is_inbox(&self, reply: &str) -> bool {
        let inbox = reply.strip_prefix(self.inbox_prefix()).is_some_and(|rest| rest.starts_with(['.', '_']));
        inbox || reply.starts_with("_R_.")
    }
}

fn kv_stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

fn object_stream(store: &str) -> String {
    format!("OBJ_{store}")
}

fn object_subjects(store: &str) -> [String; 2] {
    [format!("$O.{store}.C.>"), format!("$O.{store}.M.>")]
}

fn kv_subject(bucket: &str, key: impl fmt::Display) -> String {
    format!("$KV.{bucket}.{key}")
}

fn invalid(what: &'static str, rule: &'static str, found: &str) -> InvalidName {
    InvalidName { what, rule, found: found.to_owned() }
}

fn after<'a>(prefix: &str, what: &'static str, subject: &'a str) -> Result<&'a str, InvalidName> {
    subject.strip_prefix(prefix).ok_or_else(|| invalid(what, "under this namespace's prefix", subject))
}

/// `module.function` or `module.function.id`.
fn parse_target(text: &str) -> Result<(TaskName, Option<JobId>), InvalidName> {
    if text.bytes().filter(|b| *b == b'.').count() < 2 {
        return Ok((TaskName::parse(text)?, None));
    }
    let key = JobKey::parse(text)?;
    Ok((key.task().clone(), Some(key.id().clone())))
}

/// Names of headers, and the values of NATS's own that are compared with.
pub mod header {
    /// What all of our own start with, in any letter case.
    pub const PREFIX: &str = "Wasmhost-";
    /// Revision of the PENDING record.
    pub const REVISION: &str = "Wasmhost-Revision";
    /// Pins a version of the module.
    pub const DIGEST: &str = "Wasmhost-Digest";
    /// Attempts in all.
    pub const MAX_ATTEMPTS: &str = "Wasmhost-Max-Attempts";
    /// After this time an attempt is stopped.
    pub const TIMEOUT: &str = "Wasmhost-Timeout";
    /// After this time no attempt starts.
    pub const EXPIRES: &str = "Wasmhost-Expires";
    /// How long the terminal record is kept; `0` drops the result.
    pub const RESULT_TTL: &str = "Wasmhost-Result-TTL";
    /// Key of the job that this one came from.
    pub const PARENT: &str = "Wasmhost-Parent";
    /// Digest of the body, as the PENDING record has it.
    pub const ARGS_DIGEST: &str = "Wasmhost-Args-Digest";
    /// When the job was submitted, as the PENDING record has it.
    pub const SUBMITTED_AT: &str = "Wasmhost-Submitted-At";
    /// The queue; on the submit service only.
    pub const QUEUE: &str = "Wasmhost-Queue";
    /// How long to wait before the job is queued; on the submit service only.
    pub const DELAY: &str = "Wasmhost-Delay";
    /// When the job is queued; on the submit service only.
    pub const AT: &str = "Wasmhost-At";
    /// Kind of the failure; on dead jobs only.
    pub const DEAD_KIND: &str = "Wasmhost-Dead-Kind";
    /// Message of the failure; on dead jobs only.
    pub const DEAD_REASON: &str = "Wasmhost-Dead-Reason";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";

    /// Compare-and-set: last sequence of the subject. Empty, it switches the check off.
    pub const EXPECTED_LAST_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
    /// The stream that must take the message.
    pub const EXPECTED_STREAM: &str = "Nats-Expected-Stream";
    /// De-duplication, across the whole stream.
    pub const MSG_ID: &str = "Nats-Msg-Id";
    /// After this time the server removes the message.
    pub const TTL: &str = "Nats-TTL";
    /// Replaces what came before on the subject, or in the stream.
    pub const ROLLUP: &str = "Nats-Rollup";
    /// Stream of a republished or directly read message.
    pub const STREAM: &str = "Nats-Stream";
    /// Its sequence: a record's revision.
    pub const SEQUENCE: &str = "Nats-Sequence";
    /// The sequence before it on its subject: the previous revision.
    pub const LAST_SEQUENCE: &str = "Nats-Last-Sequence";
    /// Its subject.
    pub const SUBJECT: &str = "Nats-Subject";
    /// When it was stored.
    pub const TIME_STAMP: &str = "Nats-Time-Stamp";
    /// Why the server wrote a delete marker.
    pub const MARKER_REASON: &str = "Nats-Marker-Reason";
    /// Value of [`MARKER_REASON`]: the TTL ended.
    pub const MARKER_MAX_AGE: &str = "MaxAge";
    /// What a client of the bucket did.
    pub const KV_OPERATION: &str = "KV-Operation";
    /// Value of [`KV_OPERATION`]: deleted.
    pub const KV_DELETE: &str = "DEL";
    /// Value of [`KV_OPERATION`]: purged.
    pub const KV_PURGE: &str = "PURGE";
    /// Text of a service's error.
    pub const SERVICE_ERROR: &str = "Nats-Service-Error";
    /// Number of a service's error.
    pub const SERVICE_ERROR_CODE: &str = "Nats-Service-Error-Code";
    /// When a schedule fires: `@at <RFC 3339>`, `@every 1s`, or cron with seconds first.
    pub const SCHEDULE: &str = "Nats-Schedule";
    /// The subject that it fires to.
    pub const SCHEDULE_TARGET: &str = "Nats-Schedule-Target";
    /// TTL of what it fires.
    pub const SCHEDULE_TTL: &str = "Nats-Schedule-TTL";
    /// Time zone of a cron schedule.
    pub const SCHEDULE_TIME_ZONE: &str = "Nats-Schedule-Time-Zone";
    /// On a fired message: the subject of its schedule.
    pub const SCHEDULER: &str = "Nats-Scheduler";
    /// On a fired message: when it fires next, or `purge`.
    pub const SCHEDULE_NEXT: &str = "Nats-Schedule-Next";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Names {
        Names::new(&Namespace::default())
    }

    #[test]
    fn a_namespace_follows_its_rule() {
        for good in ["a", "wasmhost", "9-x", &"x".repeat(32)] {
            assert!(Namespace::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a.b", "a*", ">", "a b", "a_b", &"x".repeat(33)] {
            assert!(Namespace::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Names::new(&Namespace::parse("team-2").unwrap()).jobs_stream(), "TEAM-2_JOBS");
    }

    #[test]
    fn names_are_as_documented() {
        let (names, queue) = (names(), QueueName::default_queue());
        let key = JobKey::parse("thumbs.to-PNG.7_a").unwrap();
        for (found, wanted) in [
            (names.jobs_stream(), "WASMHOST_JOBS"),
            (names.job_subject(&queue, &key), "wasmhost.jobs.default.thumbs.to-PNG.7_a"),
            (names.job_without_id(&queue, key.task()), "wasmhost.jobs.default.thumbs.to-PNG"),
            (names.consumer(&queue), "wasmhost-default"),
            (names.schedule(&queue, &key), "wasmhost.schedules.default.thumbs.to-PNG.7_a"),
            (names.due_anywhere(&key), "wasmhost.due.*.thumbs.to-PNG.7_a"),
            (names.states_stream(), "KV_wasmhost-states"),
            (names.states_of_task(key.task()), "$KV.wasmhost-states.thumbs.to-PNG.*"),
            (names.states_republish().0, "$KV.wasmhost-states.>"),
            (names.states_republish().1, "wasmhost.events.>"),
            (names.module_subject(&key.task().module()), "$KV.wasmhost-modules.thumbs"),
            (names.blob_name(&key, 2, "ab"), "thumbs.to-PNG.7_a/2-ab"),
            (names.dead_unreadable(7), "wasmhost.dead.unreadable.7"),
            (names.revoke_broadcast(&key), "wasmhost.control.revoke.thumbs.to-PNG.7_a"),
        ] {
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_subject_with_a_wrong_number_of_tokens_or_a_wildcard_is_refused() {
        let names = names();
        for bad in [
            "wasmhost.jobs",
            "wasmhost.jobs.q",
            "wasmhost.jobs.q.m",
            "wasmhost.jobs.q.m.f.i.x",
            "other.jobs.q.m.f",
            "wasmhost.jobs.*.m.f",
            "wasmhost.jobs.q.m.>",
            "wasmhost.jobs.q.m.f.",
            "wasmhost.jobs..m.f",
            "",
        ] {
            assert!(names.parse_job_subject(bad).is_err(), "{bad}");
        }
        for bad in ["wasmhost.submit.m", "wasmhost.submit.m.f.i.x", "wasmhost.submit.m.*"] {
            assert!(names.parse_submit_subject(bad).is_err(), "{bad}");
        }
        for bad in ["$KV.wasmhost-states.m.f", "$KV.wasmhost-states.m.f.>", "$KV.wasmhost-modules.m.f.i"] {
            assert!(names.parse_state_subject(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_answer_to_inboxes_only() {
        for good in ["_INBOX.x", "_INBOX_user.x.1", "_R_.abc.def"] {
            assert!(names().is_inbox(good), "{good}");
        }
        for bad in
            ["", "_INBOX", "_INBOXES.x", "$KV.wasmhost-states.m.f.i", "wasmhost.jobs.q.m.f", "x._INBOX.y"]
        {
            assert!(!names().is_inbox(bad), "{bad}");
        }
    }

    prop_compose! {
        fn keys()(module in "[a-z0-9][a-z0-9-]{0,62}", function in "[a-zA-Z0-9][a-zA-Z0-9-]{0,62}",
                  id in "[A-Za-z0-9_-]{1,64}") -> JobKey {
            JobKey::parse(&format!("{module}.{function}.{id}")).unwrap()
        }
    }

    prop_compose! {
        fn queues()(text in "[a-z0-9][a-z0-9-]{0,62}") -> QueueName {
            QueueName::parse(&text).unwrap()
        }
    }

    proptest! {
        #[test]
        fn subjects_read_back(key in keys(), queue in queues(), namespace in "[a-z0-9][a-z0-9-]{0,31}") {
            let names = Names::new(&Namespace::parse(&namespace).unwrap());
            let (task, id) = (key.task().clone(), Some(key.id().clone()));
            let with_id = names.parse_job_subject(&names.job_subject(&queue, &key)).unwrap();
            prop_assert_eq!(with_id, JobSubject { queue: queue.clone(), task: task.clone(), id: id.clone() });
            let without = names.parse_job_subject(&names.job_without_id(&queue, &task)).unwrap();
            prop_assert_eq!(without, JobSubject { queue, task: task.clone(), id: None });
            let submit = |id| names.parse_submit_subject(&names.submit_subject(&task, id)).unwrap();
            prop_assert_eq!(submit(id.as_ref()), (task.clone(), id.clone()));
            prop_assert_eq!(submit(None), (task.clone(), None));
            for found in [
                names.parse_state_subject(&names.state_subject(&key)),
                names.parse_event_subject(&names.event_subject(&key)),
                names.parse_status_subject(&names.status_subject(&key)),
                names.parse_revoke_subject(&names.revoke_subject(&key)),
                names.parse_revoke_broadcast(&names.revoke_broadcast(&key)),
            ] {
                prop_assert_eq!(found.unwrap(), key.clone());
            }
        }

        #[test]
        fn only_filters_hold_wildcards(key in keys(), queue in queues(), sequence: u64) {
            let (names, task, module) = (names(), key.task(), key.task().module());
            let host = HostId::parse(key.id().as_str()).unwrap();
            for name in [
                names.jobs_stream(), names.job_subject(&queue, &key), names.job_without_id(&queue, task),
                names.consumer(&queue), names.schedules_stream(), names.schedule(&queue, &key),
                names.due(&queue, &key), names.states_bucket(), names.states_stream(), names.state_subject(&key),
                names.event_subject(&key), names.modules_bucket(), names.modules_stream(),
                names.module_subject(&module), names.components_store(), names.blobs_store(),
                names.blob_name(&key, 1, "0a"), names.hosts_bucket(), names.hosts_stream(),
                names.host_subject(&host), names.logs_stream(), names.logs_subject(&key), names.dead_stream(),
                names.dead_subject(&key), names.dead_unreadable(sequence), names.service_name(),
                names.submit_subject(task, None), names.submit_subject(task, Some(key.id())),
                names.status_subject(&key), names.revoke_subject(&key), names.revoke_broadcast(&key),
            ] {
                prop_assert!(!name.contains(|c: char| c == '*' || c == '>' || c.is_whitespace()), "{}", name);
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC*") {
            let names = names();
            let _ = names.parse_job_subject(&format!("wasmhost.jobs.{text}"));
            if let Ok(key) = names.parse_state_subject(&format!("$KV.wasmhost-states.{text}")) {
                prop_assert_eq!(key.as_str(), text);
            }
        }
    }
}
