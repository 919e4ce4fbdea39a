//! Revoking a job (R12): a job that does not run is ended here (T6), a running one is asked to stop (T9) and its host
//! woken. Ending it then is the host's.

use std::time::Duration;

use wasmhost_nats::{WriteError, Written, now, random_write, schedules};
use wasmhost_protocol::bounds;
use wasmhost_protocol::bounds::OutOfBounds;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::machine::{Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{JobState, Record, Revoke, StateLabel, StoredEntry};

use crate::job::{Handle, StatusError};

/// How a job is to be revoked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevokeOptions {
    /// Why, for people.
    pub reason: String,
    /// How long a running task may take to stop; zero: it is stopped at once.
    pub grace: Duration,
    /// Leaves a job alone that runs: Celery's default.
    pub if_queued: bool,
}

/// Why a job was not revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// A running task may not be given so long to stop.
    #[error("revoking with a grace refused: {0}")]
    Grace(#[from] OutOfBounds),
    /// There is no such job, or its record has expired.
    #[error("job {key} is not found; it never was, or its record has expired")]
    NotFound {
        /// The job.
        key: JobKey,
    },
    /// It runs, and was to be revoked only if queued.
    #[error("job {key} is already running; revoke it without `if_queued`")]
    AlreadyRunning {
        /// The job.
        key: JobKey,
    },
    /// It ended before.
    #[error("too late: job {} is {}", record.key(), record.state())]
    TooLate {
        /// How.
        record: Box<Record>,
    },
    /// Its record could not be read.
    #[error(transparent)]
    Status(StatusError),
    /// Its record could not be written.
    #[error("revoking job {key}")]
    Write {
        /// The job.
        key: JobKey,
        /// Why.
        source: WriteError,
    },
}

impl From<StatusError> for RevokeError {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::NotFound { key } => Self::NotFound { key },
            error @ (StatusError::Unreadable { .. }
            | StatusError::Unreachable { .. }
            | StatusError::Subscribe { .. }) => Self::Status(error),
        }
    }
}

/// The record as now written, or what stands instead.
type Attempted = Result<Record, StoredEntry>;

impl Handle {
    /// Revokes the job, running or not, and waits for its REVOKED record.
    pub async fn revoke(&self, reason: impl Into<String>) -> Result<Record, RevokeError> {
        self.revoke_with(RevokeOptions { reason: reason.into(), ..RevokeOptions::default() }).await
    }

    /// Revokes the job and waits for its REVOKED record, as long as a running task and its host take.
    pub async fn revoke_with(&self, options: RevokeOptions) -> Result<Record, RevokeError> {
        let mut record = self.request_revoke(options).await?;
        if !record.is_terminal() {
            record = self.terminal().await?;
        }
        match record.state() {
            StateLabel::Revoked => Ok(record),
            StateLabel::Success
            | StateLabel::Failure
            | StateLabel::Pending
            | StateLabel::Started
            | StateLabel::Custom(_)
            | StateLabel::Retry => Err(RevokeError::TooLate { record: Box::new(record) }),
        }
    }

    /// Revokes the job and answers at once with its record as now written: REVOKED, running with `revoke`, or as it
    /// ended before.
    pub async fn request_revoke(&self, options: RevokeOptions) -> Result<Record, RevokeError> {
        bounds::GRACE.hold(options.grace)?;
        let (mut record, mut revision) = self.read().await?;
        loop {
            let written = match &record.stage {
                JobState::Ended { .. } => return Ok(record),
                JobState::Pending { .. } | JobState::Retry { .. } => {
                    self.end(&record, revision, &options).await?
                }
                JobState::Running(_) if options.if_queued => {
                    return Err(RevokeError::AlreadyRunning { key: self.key.clone() });
                }
                JobState::Running(_) => self.ask(&record, revision, &options).await?,
            };
            match written {
                Ok(record) => return Ok(record),
                Err(moved) => (record, revision) = self.readable(moved)?,
            }
        }
    }

    /// T6.
    async fn end(
        &self,
        record: &Record,
        revision: u64,
        options: &RevokeOptions,
    ) -> Result<Attempted, RevokeError> {
        let change = change(Transition::Revoked { reason: options.reason.clone(), usage: None });
        let ended = transition(Some(record), &change).expect("a client may end a job that does not run");
        // The message is left to a host, and must still meet this record when it is due.
        // No job is due later than the server can count; of a record that says so the server would keep nothing.
        let due_in =
            record.stage.not_before().map_or(Duration::ZERO, |at| bounds::TIME.nearest(at).since(change.now));
        let kept = Policy::default().terminal_ttl(record, None);
        let written = self.write(ended, revision, Some(kept + due_in)).await?;
        if written.is_ok() && matches!(record.stage, JobState::Pending { not_before: Some(_) }) {
            self.unschedule().await;
        }
        Ok(written)
    }

    async fn unschedule(&self) {
        if let Err(error) = schedules::unschedule(self.client.connection(), &self.key).await {
            tracing::warn!(job.key = %self.key, %error, "the schedule of a revoked job stays until it is due");
        }
    }

    /// T9, and the word to the host.
    async fn ask(
        &self,
        record: &Record,
        revision: u64,
        options: &RevokeOptions,
    ) -> Result<Attempted, RevokeError> {
        let now = now();
        let revoke = Revoke { reason: options.reason.clone(), stop_at: now.plus(options.grace) };
        let written = match transition(Some(record), &change(Transition::RequestRevoke(revoke))) {
            Ok(asked) => self.write(asked, revision, None).await?,
            // An earlier request stands, with an earlier time to stop.
            Err(_) => Ok(record.clone()),
        };
        if written.is_ok() {
            self.wake_host().await;
        }
        Ok(written)
    }

    async fn write(
        &self,
        record: Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<Attempted, RevokeError> {
        match self.client.records().write(&self.key, &record, expected, ttl).await {
            Ok(Written::Landed(_)) => Ok(Ok(record)),
            Ok(Written::Moved(stored)) => Ok(Err(stored)),
            Err(source) => Err(RevokeError::Write { key: self.key.clone(), source }),
        }
    }

    /// The broadcast only saves time: the next write or beat of the host finds the request as well.
    async fn wake_host(&self) {
        if let Err(error) = self.client.connection().broadcast_revoke(&self.key).await {
            tracing::warn!(job.key = %self.key, %error, "the host of a revoked job is not woken; it finds out by itself");
        }
    }
}

fn change(event: Transition) -> WriteIntent {
    WriteIntent { transition: event, writer: Writer::Client, now: now(), write: random_write() }
}
