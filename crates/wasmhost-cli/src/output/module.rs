//! A module as it is printed: its version as JSON, and its tasks for people.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::text::escape;

/// A version with the name of its module, as JSON.
#[derive(serde::Serialize)]
pub(crate) struct NamedEntry<'a> {
    /// The name of the module.
    pub(crate) name: &'a ModuleName,
    /// The version.
    pub(crate) entry: &'a ModuleEntry,
}

/// The signatures of a module's tasks, one a line, and the exports that are no tasks.
pub(crate) fn tasks(manifest: &Manifest) -> String {
    let mut text = String::new();
    for task in &manifest.tasks {
        text.push_str(&format!("  {}\n", escape(&task.signature)));
    }
    for refused in &manifest.refused {
        text.push_str(&format!("  not a task: {}: {}\n", escape(&refused.name), escape(&refused.reason)));
    }
    if text.is_empty() { "  none\n".to_owned() } else { text }
}
