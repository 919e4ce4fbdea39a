//! One module whose manifest is known, and whether it could run a job.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wasmhost_protocol::ids::FunctionName;
use wasmhost_protocol::manifest::{Manifest, ManifestTask};
use wasmhost_values::{FunctionType, Parameters, check_arguments};

use crate::submission::Submission;
use crate::submit::error::SubmitError;

/// A module as its manifest describes it.
pub(super) struct KnownModule {
    manifest: Manifest,
    /// The types of its tasks, each read from the manifest when the task is submitted first.
    types: Mutex<HashMap<FunctionName, Option<Arc<FunctionType>>>>,
}

impl KnownModule {
    pub(super) fn new(manifest: Manifest) -> Self {
        Self { manifest, types: Mutex::default() }
    }

    /// Refuses a submission of a task that the module does not have, or that does not take the arguments.
    pub(super) fn check(&self, submission: &Submission) -> Result<(), SubmitError> {
        let name = &submission.task;
        let task = self.manifest.find(&name.function());
        let task = task.map_err(|unknown| SubmitError::UnknownTask { task: name.clone(), unknown })?;
        let checked = match self.types_of(task) {
            Some(types) => check_arguments(Parameters::Typed(&types), &submission.arguments),
            None if task.parameters.is_none() => check_arguments(Parameters::Text, &submission.arguments),
            // A version that an older client pushed has parameters and no types: the host checks the arguments.
            None => Ok(()),
        };
        checked.map_err(|why| SubmitError::BadArguments { task: name.clone(), why: why.to_string() })
    }

    fn types_of(&self, task: &ManifestTask) -> Option<Arc<FunctionType>> {
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        let known = types.entry(task.function.clone()).or_insert_with(|| {
            let types = task.types.as_ref()?.read();
            types.ok().map(Arc::new)
        });
        known.clone()
    }
}
