//! Subjects of schedules, and of the messages that they fire.

use super::Names;
use crate::{JobKey, QueueName};

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
