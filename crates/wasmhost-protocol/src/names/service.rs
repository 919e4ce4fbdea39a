//! Subjects of the services and of the broadcasts between hosts.

use super::deployment::{Names, parse_target, strip_subject_prefix};
use crate::ids::{InvalidName, JobId, JobKey, TaskName};

/// Subjects of the services and of the broadcasts between hosts.
impl Names {
    /// Returns the name of the NATS service: `wasmhost`.
    #[must_use]
    pub fn service_name(&self) -> String {
        self.lower.as_ref().to_owned()
    }

    /// The queue group of the endpoints, in which each request is answered by one host: that of all NATS services.
    pub const QUEUE_GROUP: &'static str = "q";

    /// Returns the subject that the endpoint `submit` subscribes to: `wasmhost.submit.>`.
    #[must_use]
    pub fn submit_filter(&self) -> String {
        format!("{}.submit.>", self.lower)
    }

    /// Returns the subject of a request to submit a job: `wasmhost.submit.<module>.<function>[.<id>]`.
    #[must_use]
    pub fn submit_subject(&self, task: &TaskName, id: Option<&JobId>) -> String {
        match id {
            Some(id) => format!("{}.submit.{task}.{id}", self.lower),
            None => format!("{}.submit.{task}", self.lower),
        }
    }

    /// Parses the subject of a request to submit a job. Returns the task, and the id where one is given.
    pub fn parse_submit_subject(&self, subject: &str) -> Result<(TaskName, Option<JobId>), InvalidName> {
        parse_target(strip_subject_prefix(&format!("{}.submit.", self.lower), "submit subject", subject)?)
    }

    /// Returns the subject that the endpoint `status` subscribes to: `wasmhost.status.>`.
    #[must_use]
    pub fn status_filter(&self) -> String {
        format!("{}.status.>", self.lower)
    }

    /// Returns the subject of a request for a job's record: `wasmhost.status.<key>`.
    #[must_use]
    pub fn status_subject(&self, key: &JobKey) -> String {
        format!("{}.status.{key}", self.lower)
    }

    /// Parses the subject of a request for a job's record.
    pub fn parse_status_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("status", "status subject", subject)
    }

    /// Returns the subject that the endpoint `revoke` subscribes to: `wasmhost.revoke.>`.
    #[must_use]
    pub fn revoke_filter(&self) -> String {
        format!("{}.revoke.>", self.lower)
    }

    /// Returns the subject of a request to revoke a job: `wasmhost.revoke.<key>`.
    #[must_use]
    pub fn revoke_subject(&self, key: &JobKey) -> String {
        format!("{}.revoke.{key}", self.lower)
    }

    /// Parses the subject of a request to revoke a job.
    pub fn parse_revoke_subject(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("revoke", "revoke subject", subject)
    }

    /// Returns the subject of all revoke broadcasts: `wasmhost.control.revoke.>`.
    #[must_use]
    pub fn revoke_broadcast_filter(&self) -> String {
        format!("{}.control.revoke.>", self.lower)
    }

    /// Returns the subject of the broadcast that wakes the host of a revoked job:
    /// `wasmhost.control.revoke.<key>`.
    #[must_use]
    pub fn revoke_broadcast(&self, key: &JobKey) -> String {
        format!("{}.control.revoke.{key}", self.lower)
    }

    /// Parses the subject of a revoke broadcast.
    pub fn parse_revoke_broadcast(&self, subject: &str) -> Result<JobKey, InvalidName> {
        self.parse_key("control.revoke", "revoke broadcast", subject)
    }

    /// Returns the subjects of NATS' service discovery: of all services, of those with this service's name,
    /// and of the one with the given id. `verb` is `PING`, `INFO` or `STATS`.
    #[must_use]
    pub fn discovery_subjects(&self, verb: &str, id: &str) -> [String; 3] {
        let name = self.service_name();
        [format!("$SRV.{verb}"), format!("$SRV.{verb}.{name}"), format!("$SRV.{verb}.{name}.{id}")]
    }
}
