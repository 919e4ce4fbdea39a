//! The manifest of a module, the registry's entry of one of its versions, and the error for a task that it
//! does not have.

mod module;
mod refused;
mod unknown_task;

pub use module::{Manifest, ManifestTask, ModuleEntry};
pub use refused::RefusedFunction;
pub use unknown_task::UnknownTask;
