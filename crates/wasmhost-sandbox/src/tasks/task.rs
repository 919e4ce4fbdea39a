//! One task of a component.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use wasmhost_protocol::ids::FunctionName;
use wasmhost_values::{FunctionType, Parameters};

use super::cost;

/// One task: an exported function that can be called with JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The interface that exports it; none at the top level.
    pub(crate) interface: Option<String>,
    /// The name of the function.
    pub(crate) function: FunctionName,
    /// The type of the function.
    pub(crate) ty: FunctionType,
    /// Whether its error is `wasmhost:task/types.task-error`, which says whether there is another attempt.
    pub(crate) returns_task_error: bool,
    /// Whether it takes and returns JSON text as it is: `wasmhost:task/handler.run`.
    pub(crate) is_untyped: bool,
    /// Whether it is the `main` of a program: `wasi:cli/run.run`.
    pub(crate) is_command: bool,
    /// Computed when it is needed first, since most tasks of a module never run on a host.
    #[serde(skip)]
    pub(super) result_cost: OnceLock<f64>,
}

impl Task {
    /// How many bytes of the host one byte that the engine charges for the task's result stands for, at worst; at least
    /// 1.
    pub(crate) fn host_bytes_per_charge(&self) -> f64 {
        *self.result_cost.get_or_init(|| cost::host_bytes_per_charge(self.ty.result.as_ref()))
    }

    /// The parameters of the task, as arguments are decoded for them.
    pub(crate) fn parameters(&self) -> Parameters<'_> {
        if self.is_untyped { Parameters::Text } else { Parameters::Typed(&self.ty) }
    }

    /// `INTERFACE#FUNCTION`, or the name of the function at the top level.
    pub(crate) fn full_name(&self) -> String {
        full_name(self.interface.as_deref(), self.function.as_str())
    }
}

/// `INTERFACE#FUNCTION`, or the name of the function at the top level.
pub(super) fn full_name(interface: Option<&str>, function: &str) -> String {
    interface.map_or_else(|| function.to_owned(), |interface| format!("{interface}#{function}"))
}
