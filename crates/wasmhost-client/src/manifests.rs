//! What the registry says of a module's tasks, so that a job that could only fail is refused before anything is written. What says
//! yes is believed for a minute, what says no is looked at again: one read a minute for each module that a client submits to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmhost_nats::registry;
use wasmhost_protocol::ids::{FunctionName, ModuleName, TaskName};
use wasmhost_protocol::manifest::{Manifest, ManifestTask};
use wasmhost_values::{FunctionType, Parameters, check_arguments};

use crate::client::Client;
use crate::submission::Submission;
use crate::submit::SubmitError;

/// How long a manifest is believed that allows a job.
const BELIEVED: Duration = Duration::from_secs(60);
/// The same of one that forbids it: somebody may be about to push a better version.
const BELIEVED_REFUSING: Duration = Duration::from_secs(1);
/// The longest that a submission waits for the registry; hosts look for themselves.
const WITHIN: Duration = Duration::from_secs(2);
/// Modules that are remembered.
const MODULES: usize = 1_000;

/// The manifests that a client has read.
#[derive(Default)]
pub(crate) struct Manifests {
    looks: Mutex<HashMap<ModuleName, Look>>,
    /// One look at a time: of many submissions at once the first one looks for all. And when it was found that the registry cannot be
    /// read, by which nobody should be held up for each module anew.
    looking: tokio::sync::Mutex<Option<Instant>>,
}

/// What was found, and when.
#[derive(Clone)]
struct Look {
    found: Found,
    at: Instant,
}

#[derive(Clone)]
enum Found {
    Module(Arc<Known>),
    Nothing,
}

/// What is known of a module.
struct Known {
    manifest: Manifest,
    /// The types of its tasks, read when they are asked for.
    types: Mutex<HashMap<FunctionName, Option<Arc<FunctionType>>>>,
}

impl Manifests {
    /// Refuses a submission that no host could run. Where the registry does not answer, or may not be read, there is nothing to
    /// refuse it by.
    pub(crate) async fn check(&self, client: &Client, submission: &Submission) -> Result<(), SubmitError> {
        // The version that a job names may be another one than the current, of which this knows.
        if submission.options.digest.is_some() {
            return Ok(());
        }
        let module = submission.task.module();
        if let Some(checked) = self.recall(&module, submission) {
            return checked;
        }
        let mut unreadable = self.looking.lock().await;
        if let Some(checked) = self.recall(&module, submission) {
            return checked;
        }
        if unreadable.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(());
        }
        let Some(found) = look(client, &module).await else {
            *unreadable = Some(Instant::now());
            return Ok(());
        };
        self.remember(&module, &found);
        found.check(submission)
    }

    /// What is known without a look, where that is recent enough for what it says.
    fn recall(&self, module: &ModuleName, submission: &Submission) -> Option<Result<(), SubmitError>> {
        let look = self.lock().get(module).cloned()?;
        let checked = look.found.check(submission);
        let believed = if checked.is_ok() { BELIEVED } else { BELIEVED_REFUSING };
        (look.at.elapsed() < believed).then_some(checked)
    }

    fn remember(&self, module: &ModuleName, found: &Found) {
        let mut looks = self.lock();
        if looks.len() >= MODULES {
            looks.retain(|_, look| look.at.elapsed() < BELIEVED);
        }
        if looks.len() < MODULES {
            looks.insert(module.clone(), Look { found: found.clone(), at: Instant::now() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ModuleName, Look>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None where the registry does not answer, or may not be read.
async fn look(client: &Client, module: &ModuleName) -> Option<Found> {
    let read = tokio::time::timeout(WITHIN, registry::current(client.connection(), module)).await;
    match read {
        Ok(Ok(Some((entry, _)))) => {
            Some(Found::Module(Arc::new(Known { manifest: entry.manifest, types: Mutex::default() })))
        }
        Ok(Ok(None)) => Some(Found::Nothing),
        Ok(Err(error)) => {
            tracing::debug!(%error, %module, "could not look into the registry");
            None
        }
        Err(_) => None,
    }
}

impl Found {
    fn check(&self, submission: &Submission) -> Result<(), SubmitError> {
        match self {
            Self::Module(known) => known.check(submission),
            Self::Nothing => Err(SubmitError::UnknownModule { module: submission.task.module() }),
        }
    }
}

impl Known {
    fn check(&self, submission: &Submission) -> Result<(), SubmitError> {
        let task = &submission.task;
        let known = self.manifest.find(&task.function());
        let known = known.map_err(|unknown| SubmitError::UnknownTask { task: task.clone(), unknown })?;
        let checked = match self.types(known) {
            Some(types) => check_arguments(Parameters::Typed(&types), &submission.arguments),
            None if known.parameters.is_none() => check_arguments(Parameters::Text, &submission.arguments),
            // An older version described it: the host says what it thinks of the arguments.
            None => Ok(()),
        };
        checked.map_err(|why| bad_arguments(task, &why))
    }

    fn types(&self, task: &ManifestTask) -> Option<Arc<FunctionType>> {
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        let known = types.entry(task.function.clone()).or_insert_with(|| {
            let types = task.types.as_ref()?.read();
            types.ok().map(Arc::new)
        });
        known.clone()
    }
}

fn bad_arguments(task: &TaskName, why: &dyn std::fmt::Display) -> SubmitError {
    SubmitError::BadArguments { task: task.clone(), why: why.to_string() }
}
