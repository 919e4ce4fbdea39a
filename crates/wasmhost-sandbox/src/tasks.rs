//! Which functions of a component are tasks, and which of its exports cannot be, with the reason.

mod cost;
mod shared;
mod steering;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use wasmhost_protocol::ids::FunctionName;
use wasmhost_protocol::manifest::{RefusedFunction, UnknownTask};
use wasmhost_values::{FunctionType, Parameters};

use crate::component::{ComponentSummary, Export, ExportKind};
use steering::{returns_task_error, takes_and_returns_json};

/// Types within the types of all tasks of one module, each use counted.
const ALL_TYPES: usize = 100_000;

/// One task: an exported function that can be called with JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The interface that exports it; none at the top level.
    pub(crate) interface: Option<String>,
    /// The function's name.
    pub(crate) function: FunctionName,
    /// Its type.
    pub(crate) ty: FunctionType,
    /// Whether its error is `wasmhost:task/types.task-error`.
    pub(crate) returns_task_error: bool,
    /// Whether it takes and returns JSON text as it is: `wasmhost:task/handler.run`.
    pub(crate) is_untyped: bool,
    /// Whether it is `wasi:cli/run.run`.
    pub(crate) is_command: bool,
    /// What its results cost, as soon as somebody asked.
    #[serde(skip)]
    cost: OnceLock<f64>,
}

impl Task {
    /// Bytes of the host that one byte of what the engine charges for its results stands for, at worst.
    pub(crate) fn host_bytes_per_charge(&self) -> f64 {
        *self.cost.get_or_init(|| cost::host_bytes_per_charge(self.ty.result.as_ref()))
    }

    /// What it takes.
    pub(crate) fn parameters(&self) -> Parameters<'_> {
        if self.is_untyped { Parameters::Text } else { Parameters::Typed(&self.ty) }
    }

    /// `INTERFACE#FUNCTION`, or the function's name at the top level.
    pub(crate) fn full_name(&self) -> String {
        full_name(self.interface.as_deref(), self.function.as_str())
    }
}

/// The tasks of a component.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tasks {
    #[serde(with = "shared")]
    tasks: Vec<Arc<Task>>,
    /// Tasks that share a function name: only the full name reaches them.
    #[serde(with = "shared")]
    ambiguous: Vec<Arc<Task>>,
    refused: Vec<RefusedFunction>,
}

impl Tasks {
    /// The tasks of a component, in the order of its exports.
    pub(crate) fn from_component(outside: ComponentSummary) -> Self {
        let steers = outside.imports.iter().any(|import| import.name.starts_with("wasmhost:task/"));
        let mut refused = Vec::new();
        let mut found = Vec::new();
        let mut room = ALL_TYPES;
        for export in outside.exports {
            let name = full_name(export.interface.as_deref(), &export.name);
            match task(export, steers, &mut room) {
                Some(Ok(task)) => found.push(Arc::new(task)),
                Some(Err(reason)) => refused.push(RefusedFunction { name, reason }),
                None => {}
            }
        }
        if found.iter().any(|task| task.is_untyped) {
            found.retain(|task| !task.is_command);
        }
        let (tasks, ambiguous) = split_by_name(found);
        refused.extend(refuse_ambiguous(&ambiguous));
        Self { tasks, ambiguous, refused }
    }

    /// The task that `name` means: a function's name, or `INTERFACE#FUNCTION`.
    pub(crate) fn find(&self, name: &str) -> Result<&Arc<Task>, UnknownTask> {
        let by_name = self.tasks.iter().find(|task| task.function.as_str() == name);
        let by_full_name = || {
            let mut all = self.tasks.iter().chain(&self.ambiguous);
            all.find(|task| task.interface.is_some() && task.full_name() == name)
        };
        by_name.or_else(by_full_name).ok_or_else(|| {
            let tasks = self.iter().map(|task| task.function.to_string()).collect();
            UnknownTask::new(name, tasks, &self.refused)
        })
    }

    /// The tasks that their function's name alone means.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().map(AsRef::as_ref)
    }

    /// Exports that are no task.
    pub(crate) fn refused(&self) -> &[RefusedFunction] {
        &self.refused
    }
}

fn full_name(interface: Option<&str>, function: &str) -> String {
    interface.map_or_else(|| function.to_owned(), |interface| format!("{interface}#{function}"))
}

/// The task that an export is, or why it is none; nothing where nobody would take it for one.
fn task(export: Export, steers: bool, room: &mut usize) -> Option<Result<Task, String>> {
    let Export { interface, name, kind } = export;
    // componentize-py leaves this one behind.
    let is_leftover = interface.as_deref() == Some("exports") && name == "init";
    let refuse = |reason: &str| Some(Err(reason.to_owned()));
    match kind {
        ExportKind::Type => None,
        ExportKind::Function { .. } if is_leftover => None,
        ExportKind::Function { is_async, ty } => Some(
            check(&name, is_async, ty, room).and_then(|(name, ty)| described(interface, name, ty, steers)),
        ),
        ExportKind::EmptyInstance => refuse("an interface without a function"),
        ExportKind::NestedInstance => {
            refuse("an instance within an instance; hosts reach only the outer one")
        }
        ExportKind::Component => refuse("a component, which hosts do not instantiate; export its functions"),
        ExportKind::Module => refuse("a core module, which hosts do not instantiate"),
    }
}

/// What every task must be.
fn check(
    name: &str,
    is_async: bool,
    ty: Result<FunctionType, String>,
    room: &mut usize,
) -> Result<(FunctionName, FunctionType), String> {
    if name.starts_with('[') {
        return Err("constructors and functions of resources cannot be called with JSON".to_owned());
    }
    if is_async {
        return Err("it is an async function".to_owned());
    }
    let function = FunctionName::parse(name).map_err(|error| format!("its name is not {}", error.rule))?;
    let ty = ty?;
    let left = room.checked_sub(ty.admit()?);
    *room = left.ok_or_else(|| format!("it brings the module over {ALL_TYPES} types"))?;
    Ok((function, ty))
}

fn described(
    interface: Option<String>,
    function: FunctionName,
    ty: FunctionType,
    steers: bool,
) -> Result<Task, String> {
    let (package, version) = interface.as_deref().unwrap_or_default().split_once('@').unwrap_or_default();
    let name = function.as_str();
    let is_untyped = (package, name) == ("wasmhost:task/handler", "run");
    if is_untyped && !version.starts_with("0.1.") {
        return Err(format!("this host knows wasmhost:task 0.1, not {version}"));
    }
    if is_untyped && !takes_and_returns_json(&ty) {
        return Err("it is not the function `run` of wasmhost:task/handler".to_owned());
    }
    let is_command = (package, name) == ("wasi:cli/run", "run");
    let returns_task_error = (steers || is_untyped) && returns_task_error(&ty);
    Ok(Task { interface, function, ty, returns_task_error, is_untyped, is_command, cost: OnceLock::new() })
}

/// Tasks with a name of their own, and those that share one.
fn split_by_name(tasks: Vec<Arc<Task>>) -> (Vec<Arc<Task>>, Vec<Arc<Task>>) {
    let mut count = BTreeMap::<FunctionName, usize>::new();
    for task in &tasks {
        *count.entry(task.function.clone()).or_default() += 1;
    }
    tasks.into_iter().partition(|task| count[&task.function] == 1)
}

fn refuse_ambiguous(ambiguous: &[Arc<Task>]) -> Vec<RefusedFunction> {
    let mut names = BTreeMap::<&str, Vec<String>>::new();
    for task in ambiguous {
        names.entry(task.function.as_str()).or_default().push(format!("`{}`", task.full_name()));
    }
    let refused = |(name, exports): (&str, Vec<String>)| RefusedFunction {
        name: name.to_owned(),
        reason: format!("it is exported more than once: {}", exports.join(", ")),
    };
    names.into_iter().map(refused).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod wit;
