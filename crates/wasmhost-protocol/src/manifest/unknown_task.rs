//! The error for a task that a module does not have. Host and client both report it, so that a job fails with
//! the same words that its submitter would have been refused with.

use std::fmt;

use super::refused::RefusedFunction;
use crate::text::{escape, nearest, truncate};

/// At most this many names are listed; the others are counted.
const LISTED: usize = 10;

/// `UnknownTask` reports a name that no task of a module has. The message says what the module exports
/// instead, and names the task that was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTask {
    wanted: String,
    tasks: Vec<String>,
    refused: Vec<RefusedFunction>,
}

impl std::error::Error for UnknownTask {}

impl UnknownTask {
    /// Builds the error for the name `wanted`, of a module with the tasks `tasks` and with the exports
    /// `refused` that cannot be tasks.
    #[must_use]
    pub fn new(wanted: &str, tasks: Vec<String>, refused: &[RefusedFunction]) -> Self {
        // Whoever submits the job chooses the name, and the error is recorded and logged.
        Self { wanted: escape(truncate(wanted, 128)), tasks, refused: refused.to_vec() }
    }

    fn refusal(&self) -> Option<&RefusedFunction> {
        // A job names a function alone, and a component exports it under its interface.
        self.refused.iter().find(|refused| {
            let function = refused.name.rsplit_once('#').map(|(_, function)| function);
            refused.name == self.wanted || function == Some(self.wanted.as_str())
        })
    }
}

impl fmt::Display for UnknownTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(RefusedFunction { name, reason }) = self.refusal() {
            write!(f, "`{name}` cannot be a task: {reason}")?;
        } else {
            write!(f, "no task `{}`", self.wanted)?;
            if let Some(near) = nearest(&self.wanted, self.tasks.iter().map(String::as_str)) {
                write!(f, "; did you mean `{near}`?")?;
            }
        }
        match self.tasks.as_slice() {
            [] => f.write_str("; the module exports no task")?,
            tasks => write!(f, "; the module exports {}", list(tasks.iter().cloned()))?,
        }
        if !self.refused.is_empty() {
            let refused =
                self.refused.iter().map(|refused| format!("`{}` ({})", refused.name, refused.reason));
            write!(f, "; refused are {}", list(refused))?;
        }
        Ok(())
    }
}

fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let mut listed: Vec<String> = names.take(LISTED).collect();
    if more > 0 {
        listed.push(format!("and {more} more"));
    }
    listed.join(", ")
}
