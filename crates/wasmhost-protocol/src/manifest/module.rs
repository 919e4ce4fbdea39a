//! What a module exports, and the registry's entry for one of its versions.

use serde::{Deserialize, Serialize};

use super::refused::RefusedFunction;
use super::unknown_task::UnknownTask;
use crate::digest::Digest;
use crate::ids::FunctionName;
use crate::json::Json;
use crate::policy::Policy;
use crate::timestamp::Timestamp;

/// What a component exports and imports, derived from its bytes. Hosts trust only the component, never a stored one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The tasks, by name.
    pub tasks: Vec<ManifestTask>,
    /// Exported functions that cannot be tasks.
    pub refused: Vec<RefusedFunction>,
    /// The imported interfaces, with versions.
    pub imports: Vec<String>,
}

impl Manifest {
    /// The task that a job of this function is.
    pub fn find(&self, function: &FunctionName) -> Result<&ManifestTask, UnknownTask> {
        self.tasks.iter().find(|task| task.function == *function).ok_or_else(|| {
            let tasks = self.tasks.iter().map(|task| task.function.to_string()).collect();
            UnknownTask::new(function.as_str(), tasks, &self.refused)
        })
    }
}

/// One task of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTask {
    /// The function's name.
    pub function: FunctionName,
    /// The interface that exports it; none at the top level.
    pub interface: Option<String>,
    /// The signature as WIT writes it: `resize: func(image: list<u8>, width: u32) -> result<list<u8>, string>`.
    pub signature: String,
    /// The parameters' names, in order; none where the task takes JSON as it is.
    pub parameters: Option<Vec<String>>,
    /// The function's types, in the form of `wasmhost_values::FunctionType`; none where the task takes JSON as it is, or where
    /// an older version described it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Json>,
    /// JSON Schema (2020-12) of the arguments.
    pub arguments: Json,
    /// JSON Schema of the result.
    pub result: Json,
}

/// A version of a module in the registry: the value of one revision of its key in the modules bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleEntry {
    /// Version of this form; 1.
    pub v: u32,
    /// Digest of the component's bytes, its name in the object store.
    pub digest: Digest,
    /// Size of the component in bytes.
    pub bytes: u64,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// What its publisher asks for.
    pub policy: Policy,
    /// What it exports, for people and clients.
    pub manifest: Manifest,
}
