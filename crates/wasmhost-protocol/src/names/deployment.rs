//! The names of one deployment: states, events, streams, consumers and control subjects. Other groups of names are in the
//! files beside this one.

use super::namespace::Namespace;
use std::fmt;
use std::sync::Arc;

use crate::ids::{HostId, InvalidName, JobId, JobKey, ModuleName, TaskName};

/// The names of one deployment. The examples are those of the namespace `wasmhost`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Names {
    pub(super) lower: Arc<str>,
    pub(super) upper: Arc<str>,
}

impl Names {
    /// The names under `namespace`.
    #[must_use]
    pub fn new(namespace: &Namespace) -> Self {
        Self { lower: namespace.as_str().into(), upper: namespace.as_str().to_ascii_uppercase().into() }
    }

    pub(super) fn parse_key(
        &self,
        kind: &str,
        what: &'static str,
        subject: &str,
    ) -> Result<JobKey, InvalidName> {
        JobKey::parse(after(&format!("{}.{kind}.", self.lower), what, subject)?)
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

    /// The job of a blob there; none where the name is not of that form.
    #[must_use]
    pub fn job_of_blob(&self, name: &str) -> Option<JobKey> {
        JobKey::parse(name.split_once('/')?.0).ok()
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

    /// Reads the subject of a log line.
    pub fn parse_logs_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("logs", "logs subject", subject)
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

pub(super) fn after<'a>(prefix: &str, what: &'static str, subject: &'a str) -> Result<&'a str, InvalidName> {
    subject
        .strip_prefix(prefix)
        .ok_or_else(|| InvalidName::new(what, "under this namespace's prefix", subject))
}

/// `module.function` or `module.function.id`.
pub(super) fn parse_target(text: &str) -> Result<(TaskName, Option<JobId>), InvalidName> {
    if text.bytes().filter(|b| *b == b'.').count() < 2 {
        return Ok((TaskName::parse(text)?, None));
    }
    let key = JobKey::parse(text)?;
    Ok((key.task().clone(), Some(key.id().clone())))
}
