//! Subjects that services answer on, and what hosts tell each other.

use super::deployment::{Names, after, parse_target};
use crate::ids::{InvalidName, JobId, JobKey, TaskName};

/// The service, and what hosts tell each other.
impl Names {
    /// The name of the NATS service: `wasmhost`.
    #[must_use]
    pub fn service_name(&self) -> String {
        self.lower.as_ref().to_owned()
    }

    /// The queue group of the endpoints, in which each request is answered by one host: that of all NATS services.
    pub const QUEUE_GROUP: &'static str = "q";

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

    /// Where services are asked what they are, `verb` being `PING`, `INFO` or `STATS`: all of them, those of this name, and the
    /// one with this id.
    #[must_use]
    pub fn discovery_subjects(&self, verb: &str, id: &str) -> [String; 3] {
        let name = self.service_name();
        [format!("$SRV.{verb}"), format!("$SRV.{verb}.{name}"), format!("$SRV.{verb}.{name}.{id}")]
    }

    /// Whether an endpoint may answer there: `_INBOX.…`, a user's own `_INBOX_<user>.…`, or `_R_.…`, which the server
    /// puts in place of the inbox of another account. A reply is written with the host's own rights.
    #[must_use]
    pub fn is_inbox(&self, reply: &str) -> bool {
        let literal = |token: &str| {
            !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'*' && b != b'>')
        };
        if !reply.split('.').all(literal) {
            return false;
        }
        let inbox = reply.strip_prefix(self.inbox_prefix()).is_some_and(|rest| rest.starts_with(['.', '_']));
        inbox || reply.starts_with("_R_.")
    }
}
