//! The description of an exported function that cannot be a task.

use serde::{Deserialize, Serialize};

/// A `RefusedFunction` is an exported function that cannot be a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFunction {
    /// The function's name, with the interface where it has one, such as `demo:app/api#stream-it`.
    pub name: String,
    /// Why the function cannot be a task, as a phrase.
    pub reason: String,
}
