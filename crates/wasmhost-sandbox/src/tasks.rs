//! Which functions of a component are tasks, and which cannot be, with the reason. Reads types only: no instance.

mod admission;
mod unknown;

use std::collections::BTreeMap;

use wasmhost_protocol::{FunctionName, RefusedFunction};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentItem};

use admission::{admit, is_task_error, takes_json};
pub(crate) use unknown::UnknownTask;

/// One task: an exported function that can be called with JSON.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// The interface that exports it; none at the top level.
    pub(crate) interface: Option<String>,
    /// The function's name.
    pub(crate) function: FunctionName,
    /// Its type.
    pub(crate) func: ComponentFunc,
    /// Whether its error is `wasmhost:task/types.task-error`.
    pub(crate) steers: bool,
    /// Whether it takes and returns JSON text as it is: `wasmhost:task/handler.run`.
    pub(crate) raw: bool,
    /// Whether it is `wasi:cli/run.run`.
    pub(crate) command: bool,
}

impl Task {
    /// `INTERFACE#FUNCTION`, or the function's name at the top level.
    pub(crate) fn full_name(&self) -> String {
        full_name(self.interface.as_deref(), self.function.as_str())
    }
}

/// The tasks of a component.
#[derive(Debug)]
pub(crate) struct Tasks {
    tasks: Vec<Task>,
    /// Tasks that share a function name: only the full name reaches them.
    ambiguous: Vec<Task>,
    refused: Vec<RefusedFunction>,
}

impl Tasks {
    /// The tasks of `component`, in the order of its exports.
    pub(crate) fn of(engine: &Engine, component: &Component) -> Self {
        let steers =
            component.component_type().imports(engine).any(|(name, _)| name.starts_with("wasmhost:task/"));
        let mut refused = Vec::new();
        let mut found = Vec::new();
        for (interface, name, func) in candidates(engine, component) {
            match task(interface.clone(), &name, func, steers) {
                Ok(task) => found.push(task),
                Err(reason) => {
                    refused.push(RefusedFunction { name: full_name(interface.as_deref(), &name), reason });
                }
            }
        }
        if found.iter().any(|task| task.raw) {
            found.retain(|task| !task.command);
        }
        let (tasks, ambiguous) = apart(found);
        refused.extend(duplicates(&ambiguous));
        Self { tasks, ambiguous, refused }
    }

    /// The task that `name` means: a function's name, or `INTERFACE#FUNCTION`.
    pub(crate) fn find(&self, name: &str) -> Result<&Task, UnknownTask> {
        let by_name = self.tasks.iter().find(|task| task.function.as_str() == name);
        let by_full_name = || {
            let mut all = self.tasks.iter().chain(&self.ambiguous);
            all.find(|task| task.interface.is_some() && task.full_name() == name)
        };
        by_name.or_else(by_full_name).ok_or_else(|| UnknownTask::new(name, self))
    }

    /// The tasks that their function's name alone means.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }

    /// Exported functions that are no task.
    pub(crate) fn refused(&self) -> &[RefusedFunction] {
        &self.refused
    }
}

fn full_name(interface: Option<&str>, function: &str) -> String {
    interface.map_or_else(|| function.to_owned(), |interface| format!("{interface}#{function}"))
}

/// Every exported function with its interface, but for the one that componentize-py leaves behind.
fn candidates(engine: &Engine, component: &Component) -> Vec<(Option<String>, String, ComponentFunc)> {
    let mut found = Vec::new();
    for (name, export) in component.component_type().exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(func) => found.push((None, name.to_owned(), func)),
            ComponentItem::ComponentInstance(instance) => {
                for (function, export) in instance.exports(engine) {
                    if let ComponentItem::ComponentFunc(func) = export.ty
                        && (name, function) != ("exports", "init")
                    {
                        found.push((Some(name.to_owned()), function.to_owned(), func));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn task(interface: Option<String>, name: &str, func: ComponentFunc, steers: bool) -> Result<Task, String> {
    let function = admit(name, &func)?;
    let (package, version) = interface.as_deref().unwrap_or_default().split_once('@').unwrap_or_default();
    let raw = (package, name) == ("wasmhost:task/handler", "run");
    if raw && !version.starts_with("0.1.") {
        return Err(format!("this host knows wasmhost:task 0.1, not {version}"));
    }
    if raw && !takes_json(&func) {
        return Err("it is not the function `run` of wasmhost:task/handler".to_owned());
    }
    let command = (package, name) == ("wasi:cli/run", "run");
    let steers = (steers || raw) && is_task_error(&func);
    Ok(Task { interface, function, func, steers, raw, command })
}

/// Tasks with a name of their own, and those that share one.
fn apart(tasks: Vec<Task>) -> (Vec<Task>, Vec<Task>) {
    let mut count = BTreeMap::<FunctionName, usize>::new();
    for task in &tasks {
        *count.entry(task.function.clone()).or_default() += 1;
    }
    tasks.into_iter().partition(|task| count[&task.function] == 1)
}

fn duplicates(ambiguous: &[Task]) -> Vec<RefusedFunction> {
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
