//! What a module exports, the registry's entry for one of its versions, and the words for a task that it lacks.

mod module;
mod refused;
mod unknown_task;

pub use module::{Manifest, ManifestTask, ModuleEntry};
pub use refused::RefusedFunction;
pub use unknown_task::UnknownTask;
