//! The state of a job. Each state carries what belongs to it, so that a SUCCESS without a result cannot be
//! built.

use std::fmt;

use crate::ids::StateName;
use crate::record::error::JobError;
use crate::record::parts::Payload;
use crate::timestamp::Timestamp;

/// A `JobState` is the state of a job, with what only this state has.
#[derive(Debug, Clone, PartialEq)]
pub enum JobState {
    /// The job is submitted, and no host has claimed it.
    Pending {
        /// When a delayed job is due.
        not_before: Option<Timestamp>,
    },
    /// An attempt holds the job.
    Running(RunningLabel),
    /// The last attempt ended, and another one follows.
    Retry {
        /// The time before which no attempt starts.
        not_before: Timestamp,
    },
    /// The job has ended, and nothing follows.
    Ended {
        /// How the job ended.
        end: End,
        /// When the job ended.
        finished_at: Timestamp,
    },
}

/// A `RunningLabel` is the word that the record of a running job shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunningLabel {
    /// The record shows PENDING, because the module's policy does not track STARTED.
    Pending,
    /// The record shows STARTED.
    Started,
    /// The record shows the custom state that the task published last.
    Custom(StateName),
}

/// An `End` is how a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The job ended in SUCCESS with this result.
    Success(Payload),
    /// The job ended in FAILURE for this reason.
    Failure(JobError),
    /// The job ended in REVOKED. The record's `revoke` says why.
    Revoked,
}

/// A `StateLabel` is the word for the state of a job. The words are Celery's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StateLabel {
    /// PENDING: no host has claimed the job, or its module does not track STARTED.
    Pending,
    /// STARTED: an attempt holds the job.
    Started,
    /// A custom state: an attempt holds the job and has published this state.
    Custom(StateName),
    /// RETRY: the last attempt ended, and another one follows.
    Retry,
    /// SUCCESS: the job has ended with a result.
    Success,
    /// FAILURE: the job has ended with an error.
    Failure,
    /// REVOKED: the job has ended because of a revoke, or because it expired.
    Revoked,
}

impl JobState {
    /// Returns the label of the state, which is the word that the record shows.
    #[must_use]
    pub fn label(&self) -> StateLabel {
        match self {
            // PENDING alone does not say that nothing runs: a module may hide STARTED.
            Self::Pending { .. } | Self::Running(RunningLabel::Pending) => StateLabel::Pending,
            Self::Running(RunningLabel::Started) => StateLabel::Started,
            Self::Running(RunningLabel::Custom(name)) => StateLabel::Custom(name.clone()),
            Self::Retry { .. } => StateLabel::Retry,
            Self::Ended { end: End::Success(_), .. } => StateLabel::Success,
            Self::Ended { end: End::Failure(_), .. } => StateLabel::Failure,
            Self::Ended { end: End::Revoked, .. } => StateLabel::Revoked,
        }
    }

    /// Returns the time before which no attempt starts, where the state has one.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        match self {
            Self::Pending { not_before } => *not_before,
            Self::Retry { not_before } => Some(*not_before),
            Self::Running(_) | Self::Ended { .. } => None,
        }
    }

    /// Returns whether the job has ended, after which nothing follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

impl StateLabel {
    /// Returns the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Started => "STARTED",
            Self::Custom(name) => name.as_str(),
            Self::Retry => "RETRY",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Revoked => "REVOKED",
        }
    }

    /// Parses a word. Returns `None` where it is neither one of the protocol's words nor a custom state.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "PENDING" => Self::Pending,
            "STARTED" => Self::Started,
            "RETRY" => Self::Retry,
            "SUCCESS" => Self::Success,
            "FAILURE" => Self::Failure,
            "REVOKED" => Self::Revoked,
            // Celery's other words, such as RECEIVED, are reserved and no custom states either.
            _ => Self::Custom(StateName::parse(text).ok()?),
        })
    }

    /// Returns whether the label is of a state after which nothing follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Success | Self::Failure | Self::Revoked => true,
            Self::Pending | Self::Started | Self::Custom(_) | Self::Retry => false,
        }
    }
}

impl fmt::Display for StateLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
