//! The tasks of a component: which of its functions a job can name, and which exports cannot be tasks, with the reason.

mod admit;
mod cost;
mod shared;
mod steering;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmhost_protocol::ids::FunctionName;
use wasmhost_protocol::manifest::{RefusedFunction, UnknownTask};

use crate::component::ComponentSummary;
use admit::Admission;
pub(crate) use task::Task;

/// The tasks of one component.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tasks {
    /// Tasks whose function name is theirs alone.
    #[serde(with = "shared")]
    tasks: Vec<Arc<Task>>,
    /// Tasks that share a function name; only the full name reaches them.
    #[serde(with = "shared")]
    ambiguous: Vec<Arc<Task>>,
    refused: Vec<RefusedFunction>,
}

impl Tasks {
    /// Finds the tasks of a component, in the order of its exports.
    pub(crate) fn from_component(component: ComponentSummary) -> Self {
        let mut admission = Admission::new(&component.imports);
        let mut admitted = Vec::new();
        let mut refused = Vec::new();
        for export in component.exports {
            let name = task::full_name(export.interface.as_deref(), &export.name);
            match admission.admit(export) {
                Some(Ok(task)) => admitted.push(Arc::new(task)),
                Some(Err(reason)) => refused.push(RefusedFunction { name, reason }),
                None => {}
            }
        }
        // Beside a handler, a `main` is what its toolchain adds to every program, and both are called `run`.
        if admitted.iter().any(|task| task.is_untyped) {
            admitted.retain(|task| !task.is_command);
        }
        let (tasks, ambiguous) = split_by_name(admitted);
        refused.extend(refuse_ambiguous(&ambiguous));
        Self { tasks, ambiguous, refused }
    }

    /// Finds the task that a name means: the name of a function, or `INTERFACE#FUNCTION`.
    pub(crate) fn find(&self, name: &str) -> Result<&Arc<Task>, UnknownTask> {
        let by_name = self.tasks.iter().find(|task| task.function.as_str() == name);
        let by_full_name = || {
            // At the top level the full name is the name of the function, which an ambiguous task must not answer to.
            let mut all = self.tasks.iter().chain(&self.ambiguous);
            all.find(|task| task.interface.is_some() && task.full_name() == name)
        };
        by_name.or_else(by_full_name).ok_or_else(|| {
            let tasks = self.iter().map(|task| task.function.to_string()).collect();
            UnknownTask::new(name, tasks, &self.refused)
        })
    }

    /// The tasks that the name of their function alone means.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().map(AsRef::as_ref)
    }

    /// The exports that are no tasks.
    pub(crate) fn refused(&self) -> &[RefusedFunction] {
        &self.refused
    }
}

/// Tasks whose function name is theirs alone, and those that share one.
fn split_by_name(tasks: Vec<Arc<Task>>) -> (Vec<Arc<Task>>, Vec<Arc<Task>>) {
    let mut count = BTreeMap::<FunctionName, usize>::new();
    for task in &tasks {
        *count.entry(task.function.clone()).or_default() += 1;
    }
    tasks.into_iter().partition(|task| count[&task.function] == 1)
}

/// One refusal for each function name that several tasks share.
fn refuse_ambiguous(ambiguous: &[Arc<Task>]) -> Vec<RefusedFunction> {
    let mut exports = BTreeMap::<&str, Vec<String>>::new();
    for task in ambiguous {
        exports.entry(task.function.as_str()).or_default().push(format!("`{}`", task.full_name()));
    }
    let refusal = |(name, exports): (&str, Vec<String>)| RefusedFunction {
        name: name.to_owned(),
        reason: format!("it is exported more than once: {}", exports.join(", ")),
    };
    exports.into_iter().map(refusal).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod wit;
