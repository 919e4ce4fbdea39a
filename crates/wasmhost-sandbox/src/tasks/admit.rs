//! Decides which exports of a component are tasks.

use std::sync::OnceLock;

use wasmhost_protocol::ids::FunctionName;
use wasmhost_values::FunctionType;

use super::steering::{returns_task_error, takes_and_returns_json};
use super::task::Task;
use crate::component::{Export, ExportKind, Import};

/// The most types within the types of all tasks of one module, each use counted.
const ALL_TYPES: usize = 100_000;

/// Admits the exports of one component, one after the other.
pub(super) struct Admission {
    /// Whether the component imports anything of `wasmhost:task`; only then is an error like `task-error` meant as one.
    imports_task_package: bool,
    /// How many more types the tasks of the module may have.
    types_left: usize,
}

impl Admission {
    pub(super) fn new(imports: &[Import]) -> Self {
        let imports_task_package = imports.iter().any(|import| import.name.starts_with("wasmhost:task/"));
        Self { imports_task_package, types_left: ALL_TYPES }
    }

    /// The task that an export is, or the reason why it is none; nothing where nobody would take it for a task.
    pub(super) fn admit(&mut self, export: Export) -> Option<Result<Task, String>> {
        let Export { interface, name, kind } = export;
        // componentize-py exports this function for its own use.
        let is_python_init = interface.as_deref() == Some("exports") && name == "init";
        let refuse = |reason: &str| Some(Err(reason.to_owned()));
        match kind {
            ExportKind::Type => None,
            ExportKind::Function { .. } if is_python_init => None,
            ExportKind::Function { is_async, ty } => {
                let checked = self.check(&name, is_async, ty);
                Some(checked.and_then(|(function, ty)| self.classify(interface, function, ty)))
            }
            ExportKind::EmptyInstance => refuse("an interface without a function"),
            ExportKind::NestedInstance => {
                refuse("an instance within an instance; hosts reach only the outer one")
            }
            ExportKind::Component => {
                refuse("a component, which hosts do not instantiate; export its functions")
            }
            ExportKind::Module => refuse("a core module, which hosts do not instantiate"),
        }
    }

    /// Checks what every task must be: named like a function, synchronous, with types that have a JSON form and fit
    /// into the module's budget.
    fn check(
        &mut self,
        name: &str,
        is_async: bool,
        ty: Result<FunctionType, String>,
    ) -> Result<(FunctionName, FunctionType), String> {
        // `[constructor]blob`, `[method]blob.size` and `[static]blob.open`.
        if name.starts_with('[') {
            return Err("constructors and functions of resources cannot be called with JSON".to_owned());
        }
        if is_async {
            return Err("it is an async function".to_owned());
        }
        let function =
            FunctionName::parse(name).map_err(|error| format!("its name is not {}", error.rule))?;
        let ty = ty?;
        // The engine converts values by the types of one function at a time, but the description has those of all.
        let types_left = self.types_left.checked_sub(ty.admit()?);
        self.types_left = types_left.ok_or_else(|| format!("it brings the module over {ALL_TYPES} types"))?;
        Ok((function, ty))
    }

    /// Tells handlers and commands from other functions.
    fn classify(
        &self,
        interface: Option<String>,
        function: FunctionName,
        ty: FunctionType,
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
        // A program that does not know the package may have an error of the same structure that means something else.
        let returns_task_error = (self.imports_task_package || is_untyped) && returns_task_error(&ty);
        let result_cost = OnceLock::new();
        Ok(Task { interface, function, ty, returns_task_error, is_untyped, is_command, result_cost })
    }
}
