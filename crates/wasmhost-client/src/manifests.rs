//! What the registry says of modules, so that a job that could only fail is refused before anything is written. A manifest
//! that allows a job is believed for a minute, and one that refuses it for a second: a client reads about once a minute for
//! each module that it submits to.

mod known;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmhost_nats::{Connection, registry};
use wasmhost_protocol::ids::ModuleName;

use crate::submission::Submission;
use crate::submit::error::SubmitError;
use known::KnownModule;

/// How long a manifest is believed that allows a job, and how long a registry that cannot be read is not asked again.
const BELIEVED: Duration = Duration::from_secs(60);
/// How long a manifest is believed that refuses a job: somebody may be about to push a better version.
const BELIEVED_REFUSING: Duration = Duration::from_secs(1);
/// How long a submission waits for the registry at most; the host checks the job again.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How many modules are remembered.
const MODULES: usize = 1_000;

/// The manifests that a client has read.
#[derive(Default)]
pub(crate) struct Manifests {
    entries: Mutex<HashMap<ModuleName, Entry>>,
    /// Held while the registry is read, so that of many submissions at once the first one reads for all. It holds the time
    /// at which the registry could not be read, so that no other module waits for it again.
    unreadable_since: tokio::sync::Mutex<Option<Instant>>,
}

/// What the registry said of a module, and when.
#[derive(Clone)]
struct Entry {
    found: Found,
    read_at: Instant,
}

#[derive(Clone)]
enum Found {
    Module(Arc<KnownModule>),
    NoModule,
}

impl Manifests {
    /// Refuses a submission that no host could run. A registry that does not answer, or may not be read, refuses nothing.
    pub(crate) async fn check(
        &self,
        connection: &Connection,
        submission: &Submission,
    ) -> Result<(), SubmitError> {
        // A job that names a version is not checked: the registry describes the current one, which may differ.
        if submission.options.digest.is_some() {
            return Ok(());
        }
        let module = submission.task.module();
        match self.recall(&module, submission) {
            Some(checked) => checked,
            // Boxed: once a minute for each module.
            None => Box::pin(self.check_by_reading(connection, &module, submission)).await,
        }
    }

    async fn check_by_reading(
        &self,
        connection: &Connection,
        module: &ModuleName,
        submission: &Submission,
    ) -> Result<(), SubmitError> {
        let mut unreadable_since = self.unreadable_since.lock().await;
        // Whoever held the lock before may have read this module.
        if let Some(checked) = self.recall(module, submission) {
            return checked;
        }
        if unreadable_since.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(());
        }
        let Some(found) = read(connection, module).await else {
            // The host checks every job again, so that nothing is lost by letting this one pass.
            *unreadable_since = Some(Instant::now());
            return Ok(());
        };
        self.remember(module, &found);
        found.check(submission)
    }

    /// Checks by what was read before, where that is recent enough for what it says.
    fn recall(&self, module: &ModuleName, submission: &Submission) -> Option<Result<(), SubmitError>> {
        let entry = self.lock().get(module).cloned()?;
        let checked = entry.found.check(submission);
        let believed = if checked.is_ok() { BELIEVED } else { BELIEVED_REFUSING };
        (entry.read_at.elapsed() < believed).then_some(checked)
    }

    fn remember(&self, module: &ModuleName, found: &Found) {
        let mut entries = self.lock();
        // Where even fresh entries fill the map, a module is read at each submission.
        if entries.len() >= MODULES {
            entries.retain(|_, entry| entry.read_at.elapsed() < BELIEVED);
        }
        if entries.len() < MODULES {
            entries.insert(module.clone(), Entry { found: found.clone(), read_at: Instant::now() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ModuleName, Entry>> {
        // A panic elsewhere leaves the map whole: entries are only inserted and removed.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what the registry has of a module; nothing where it does not answer or may not be read.
async fn read(connection: &Connection, module: &ModuleName) -> Option<Found> {
    let read = tokio::time::timeout(ANSWER_WITHIN, registry::current(connection, module)).await;
    match read {
        Ok(Ok(Some((entry, _)))) => Some(Found::Module(Arc::new(KnownModule::new(entry.manifest)))),
        Ok(Ok(None)) => Some(Found::NoModule),
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
            Self::Module(module) => module.check(submission),
            Self::NoModule => Err(SubmitError::UnknownModule { module: submission.task.module() }),
        }
    }
}
