//! Which jobs are listed or listened to.

use wasmhost_protocol::ids::{ModuleName, TaskName};
use wasmhost_protocol::names::Names;

/// Which jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum JobFilter {
    /// All.
    #[default]
    All,
    /// Those of one module.
    Module(ModuleName),
    /// Those of one task.
    Task(TaskName),
}

impl JobFilter {
    pub(super) fn states(&self, names: &Names) -> String {
        match self {
            Self::All => names.states_filter(),
            Self::Module(module) => names.states_of_module(module),
            Self::Task(task) => names.states_of_task(task),
        }
    }

    pub(crate) fn events(&self, names: &Names) -> String {
        match self {
            Self::All => names.events_filter(),
            Self::Module(module) => names.events_of_module(module),
            Self::Task(task) => names.events_of_task(task),
        }
    }
}
