//! Which jobs are listed, or listened to.

use wasmhost_protocol::ids::{ModuleName, TaskName};
use wasmhost_protocol::names::Names;

/// Which jobs are listed, or listened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum JobFilter {
    /// All jobs.
    #[default]
    All,
    /// The jobs of one module.
    Module(ModuleName),
    /// The jobs of one task.
    Task(TaskName),
}

impl JobFilter {
    /// The filter for the subjects of their records.
    pub(super) fn states(&self, names: &Names) -> String {
        match self {
            Self::All => names.states_filter(),
            Self::Module(module) => names.states_of_module(module),
            Self::Task(task) => names.states_of_task(task),
        }
    }

    /// The filter for the subjects of their events.
    pub(crate) fn events(&self, names: &Names) -> String {
        match self {
            Self::All => names.events_filter(),
            Self::Module(module) => names.events_of_module(module),
            Self::Task(task) => names.events_of_task(task),
        }
    }
}
