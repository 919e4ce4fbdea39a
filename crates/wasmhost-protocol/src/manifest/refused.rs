//! An exported function that cannot be a task.

use serde::{Deserialize, Serialize};

/// An exported function that is not a task, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFunction {
    /// Its name, with the interface where it has one: `demo:app/api#stream-it`.
    pub name: String,
    /// Why.
    pub reason: String,
}
