//! The names of a deployment: buckets, stores, events, logs and dead letters. The other groups of names are
//! in the files beside this one, each in an `impl Names` of its own.

use super::namespace::Namespace;
use std::fmt;
use std::sync::Arc;

use crate::ids::{HostId, InvalidName, JobId, JobKey, ModuleName, TaskName};

/// `Names` builds and parses the names of one deployment. The examples in the documentation are those of the
/// namespace `wasmhost`. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Names {
    /// The namespace as it is, for subjects, buckets and stores.
    pub(super) lower: Arc<str>,
    /// The namespace in upper case, for streams.
    pub(super) upper: Arc<str>,
}

impl Names {
    /// Derives all names from `namespace`.
    #[must_use]
    pub fn new(namespace: &Namespace) -> Self {
        Self { lower: namespace.as_str().into(), upper: namespace.as_str().to_ascii_uppercase().into() }
    }

    /// Parses a subject that ends in a job's key behind `<namespace>.<kind>.`.
    pub(super) fn parse_key(
        &self,
        kind: &str,
        what: &'static str,
        subject: &str,
    ) -> Result<JobKey, InvalidName> {
        JobKey::parse(strip_subject_prefix(&format!("{}.{kind}.", self.lower), what, subject)?)
    }
}

/// Names of the states bucket and of its events.
impl Names {
    /// Returns the name of the states bucket: `wasmhost-states`.
    #[must_use]
    pub fn states_bucket(&self) -> String {
        format!("{}-states", self.lower)
    }

    /// Returns the stream behind the states bucket: `KV_wasmhost-states`.
    #[must_use]
    pub fn states_stream(&self) -> String {
        kv_stream(&self.states_bucket())
    }

    /// Returns the subject of a job's record: `$KV.wasmhost-states.<key>`.
    #[must_use]
    pub fn state_subject(&self, key: &JobKey) -> String {
        kv_subject(&self.states_bucket(), key)
    }

    /// Returns the subject of all records: `$KV.wasmhost-states.>`.
    #[must_use]
    pub fn states_filter(&self) -> String {
        kv_subject(&self.states_bucket(), '>')
    }

    /// Returns the subject of the records of a module: `$KV.wasmhost-states.<module>.>`.
    #[must_use]
    pub fn states_of_module(&self, module: &ModuleName) -> String {
        kv_subject(&self.states_bucket(), format_args!("{module}.>"))
    }

    /// Returns the subject of the records of a task: `$KV.wasmhost-states.<module>.<function>.*`.
    #[must_use]
    pub fn states_of_task(&self, task: &TaskName) -> String {
        // One token and not `>`, since an id has no dot.
        kv_subject(&self.states_bucket(), format_args!("{task}.*"))
    }

    /// Parses the subject of a record.
    pub fn parse_state_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        JobKey::parse(strip_subject_prefix(&kv_subject(&self.states_bucket(), ""), "state subject", subject)?)
    }

    /// Returns the source and the destination of the states bucket's republication: `$KV.wasmhost-states.>`
    /// and `wasmhost.events.>`.
    #[must_use]
    pub fn states_republish(&self) -> (String, String) {
        (self.states_filter(), self.events_filter())
    }

    /// Returns the subject of all events: `wasmhost.events.>`.
    #[must_use]
    pub fn events_filter(&self) -> String {
        format!("{}.events.>", self.lower)
    }

    /// Returns the subject of the events of a module: `wasmhost.events.<module>.>`.
    #[must_use]
    pub fn events_of_module(&self, module: &ModuleName) -> String {
        format!("{}.events.{module}.>", self.lower)
    }

    /// Returns the subject of a job's events: `wasmhost.events.<key>`.
    #[must_use]
    pub fn event_subject(&self, key: &JobKey) -> String {
        format!("{}.events.{key}", self.lower)
    }

    /// Returns the subject of the events of a task: `wasmhost.events.<module>.<function>.*`.
    #[must_use]
    pub fn events_of_task(&self, task: &TaskName) -> String {
        format!("{}.events.{task}.*", self.lower)
    }

    /// Parses the subject of an event.
    pub fn parse_event_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("events", "event subject", subject)
    }
}

/// Names of the registry, the object stores and the hosts bucket.
impl Names {
    /// Returns the name of the registry's bucket: `wasmhost-modules`.
    #[must_use]
    pub fn modules_bucket(&self) -> String {
        format!("{}-modules", self.lower)
    }

    /// Returns the stream behind the modules bucket: `KV_wasmhost-modules`.
    #[must_use]
    pub fn modules_stream(&self) -> String {
        kv_stream(&self.modules_bucket())
    }

    /// Returns the subject of the entries of all modules: `$KV.wasmhost-modules.>`.
    #[must_use]
    pub fn modules_filter(&self) -> String {
        kv_subject(&self.modules_bucket(), '>')
    }

    /// Returns the subject of a module's entry: `$KV.wasmhost-modules.<module>`.
    #[must_use]
    pub fn module_subject(&self, module: &ModuleName) -> String {
        kv_subject(&self.modules_bucket(), module)
    }

    /// Parses the subject of a module's entry.
    pub fn parse_module_subject(&self, subject: &str) -> Result<ModuleName, InvalidName> {
        ModuleName::parse(strip_subject_prefix(
            &kv_subject(&self.modules_bucket(), ""),
            "module subject",
            subject,
        )?)
    }

    /// Returns the name of the object store of components, which are named by their digest there:
    /// `wasmhost-components`.
    #[must_use]
    pub fn components_store(&self) -> String {
        format!("{}-components", self.lower)
    }

    /// Returns the stream behind the store of components: `OBJ_wasmhost-components`.
    #[must_use]
    pub fn components_stream(&self) -> String {
        object_stream(&self.components_store())
    }

    /// Returns the subjects of that stream: those of chunks and of descriptions.
    #[must_use]
    pub fn components_subjects(&self) -> [String; 2] {
        object_subjects(&self.components_store())
    }

    /// Returns the name of the object store of blobs, which are large results and checkpoints:
    /// `wasmhost-blobs`.
    #[must_use]
    pub fn blobs_store(&self) -> String {
        format!("{}-blobs", self.lower)
    }

    /// Returns the stream behind the blob store: `OBJ_wasmhost-blobs`.
    #[must_use]
    pub fn blobs_stream(&self) -> String {
        object_stream(&self.blobs_store())
    }

    /// Returns the subjects of that stream: those of chunks and of descriptions.
    #[must_use]
    pub fn blobs_subjects(&self) -> [String; 2] {
        object_subjects(&self.blobs_store())
    }

    /// Returns the beginning of the names of a claim's blobs: `<key>/<attempt>-<token>`. The kind follows it,
    /// `-result` or `-checkpoint-<n>`, counted within the attempt. The token is in the name so that no two
    /// claims share one: a superseded host could otherwise replace the result of its successor.
    #[must_use]
    pub fn blob_name(&self, key: &JobKey, attempt: u32, token: &str) -> String {
        format!("{key}/{attempt}-{token}")
    }

    /// Returns the job that a blob belongs to, or `None` where the name is not one that [`Self::blob_name`]
    /// begins.
    #[must_use]
    pub fn job_of_blob(&self, name: &str) -> Option<JobKey> {
        // Whoever may write to the store may have named a blob in another way. Such a blob belongs to no job
        // and is left alone.
        JobKey::parse(name.split_once('/')?.0).ok()
    }

    /// Returns the name of the hosts bucket: `wasmhost-hosts`.
    #[must_use]
    pub fn hosts_bucket(&self) -> String {
        format!("{}-hosts", self.lower)
    }

    /// Returns the stream behind the hosts bucket: `KV_wasmhost-hosts`.
    #[must_use]
    pub fn hosts_stream(&self) -> String {
        kv_stream(&self.hosts_bucket())
    }

    /// Returns the subject of the presence of all hosts: `$KV.wasmhost-hosts.>`.
    #[must_use]
    pub fn hosts_filter(&self) -> String {
        kv_subject(&self.hosts_bucket(), '>')
    }

    /// Returns the subject of a host's presence: `$KV.wasmhost-hosts.<id>`.
    #[must_use]
    pub fn host_subject(&self, host: &HostId) -> String {
        kv_subject(&self.hosts_bucket(), host)
    }

    /// Returns the subject of the lease of the host that scans: `$KV.wasmhost-hosts.lease.scanner`. No host's id
    /// has a dot.
    #[must_use]
    pub fn scanner_lease(&self) -> String {
        kv_subject(&self.hosts_bucket(), "lease.scanner")
    }
}

/// Names of the streams of logs and of dead letters.
impl Names {
    /// Returns the name of the stream of logs: `WASMHOST_LOGS`.
    #[must_use]
    pub fn logs_stream(&self) -> String {
        format!("{}_LOGS", self.upper)
    }

    /// Returns the subject of all logs: `wasmhost.logs.>`.
    #[must_use]
    pub fn logs_filter(&self) -> String {
        format!("{}.logs.>", self.lower)
    }

    /// Returns the subject of a job's logs: `wasmhost.logs.<key>`.
    #[must_use]
    pub fn logs_subject(&self, key: &JobKey) -> String {
        format!("{}.logs.{key}", self.lower)
    }

    /// Reads the subject of a log line.
    pub fn parse_logs_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("logs", "logs subject", subject)
    }

    /// Returns the name of the stream of dead letters: `WASMHOST_DEAD`.
    #[must_use]
    pub fn dead_stream(&self) -> String {
        format!("{}_DEAD", self.upper)
    }

    /// Returns the subject of all dead letters: `wasmhost.dead.>`.
    #[must_use]
    pub fn dead_filter(&self) -> String {
        format!("{}.dead.>", self.lower)
    }

    /// Returns the subject of a job's dead-letter copy: `wasmhost.dead.<key>`.
    #[must_use]
    pub fn dead_subject(&self, key: &JobKey) -> String {
        format!("{}.dead.{key}", self.lower)
    }

    /// Returns the subject of the copy of a message that names no job: `wasmhost.dead.unreadable.<sequence>`.
    /// The sequence is the message's in the stream that it was in, the job stream or the schedule stream.
    #[must_use]
    pub fn dead_unreadable(&self, sequence: u64) -> String {
        format!("{}.dead.unreadable.{sequence}", self.lower)
    }
}

pub(super) fn kv_stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

pub(super) fn object_stream(store: &str) -> String {
    format!("OBJ_{store}")
}

pub(super) fn object_subjects(store: &str) -> [String; 2] {
    [format!("$O.{store}.C.>"), format!("$O.{store}.M.>")]
}

pub(super) fn kv_subject(bucket: &str, key: impl fmt::Display) -> String {
    format!("$KV.{bucket}.{key}")
}

/// Returns what follows `prefix` in a subject. The error names `what` the subject was meant to be.
pub(super) fn strip_subject_prefix<'a>(
    prefix: &str,
    what: &'static str,
    subject: &'a str,
) -> Result<&'a str, InvalidName> {
    subject
        .strip_prefix(prefix)
        .ok_or_else(|| InvalidName::new(what, "under this namespace's prefix", subject))
}

/// Parses `module.function` or `module.function.id`.
pub(super) fn parse_target(text: &str) -> Result<(TaskName, Option<JobId>), InvalidName> {
    // With fewer than two dots it can only be a task. With more than two the parts are refused.
    if text.bytes().filter(|b| *b == b'.').count() < 2 {
        return Ok((TaskName::parse(text)?, None));
    }
    let key = JobKey::parse(text)?;
    Ok((key.task().clone(), Some(key.id().clone())))
}
