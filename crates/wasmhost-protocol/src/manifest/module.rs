//! The manifest of a module, which describes what it exports, and the registry's entry of one of its
//! versions.

use serde::{Deserialize, Serialize};

use super::refused::RefusedFunction;
use super::unknown_task::UnknownTask;
use crate::digest::Digest;
use crate::ids::FunctionName;
use crate::json::Json;
use crate::policy::Policy;
use crate::timestamp::Timestamp;

/// A `Manifest` describes what a component exports and imports. It is derived from the component's bytes at
/// the push and stored beside them, for clients and people. Hosts trust only the component: whoever may write
/// to the registry could describe a function as something that it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The tasks, in the order of their names.
    pub tasks: Vec<ManifestTask>,
    /// The exported functions that cannot be tasks.
    pub refused: Vec<RefusedFunction>,
    /// The imported interfaces, with their versions.
    pub imports: Vec<String>,
}

impl Manifest {
    /// Returns the task that `function` is. The error lists what the module exports instead.
    pub fn find(&self, function: &FunctionName) -> Result<&ManifestTask, UnknownTask> {
        self.tasks.iter().find(|task| task.function == *function).ok_or_else(|| {
            let tasks = self.tasks.iter().map(|task| task.function.to_string()).collect();
            UnknownTask::new(function.as_str(), tasks, &self.refused)
        })
    }
}

/// A `ManifestTask` describes one task of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTask {
    /// The function's name.
    pub function: FunctionName,
    /// The interface that exports the function; `None` at the top level of the component.
    pub interface: Option<String>,
    /// The signature as WIT writes it, such as
    /// `resize: func(image: list<u8>, width: u32) -> result<list<u8>, string>`.
    pub signature: String,
    /// The names of the parameters, in order; `None` for an untyped task, which takes its JSON as it is.
    pub parameters: Option<Vec<String>>,
    /// The function's types, in the form of `wasmhost_values::FunctionType`; `None` for an untyped task, or
    /// where an older version wrote the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Json>,
    /// The JSON Schema (2020-12) of the arguments.
    pub arguments: Json,
    /// The JSON Schema (2020-12) of the result.
    pub result: Json,
}

/// A `ModuleEntry` is one version of a module in the registry: the value of one revision of the module's key
/// in the modules bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleEntry {
    /// The version of this form; 1.
    pub v: u32,
    /// The digest of the component's bytes, which is also the component's name in the object store.
    pub digest: Digest,
    /// The size of the component in bytes.
    pub bytes: u64,
    /// When this version was pushed.
    pub pushed_at: Timestamp,
    /// What the module's publisher asks for.
    pub policy: Policy,
    /// What the module exports, for people and clients.
    pub manifest: Manifest,
}
