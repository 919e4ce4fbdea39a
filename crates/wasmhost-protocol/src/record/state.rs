//! Where a job stands, with what belongs to it: a SUCCESS without a result cannot be built.

use std::fmt;

use crate::ids::StateName;
use crate::record::error::JobError;
use crate::record::parts::Payload;
use crate::timestamp::Timestamp;

/// Where a job stands. Revoke, host, usage and the like stand beside it in the record.
#[derive(Debug, Clone, PartialEq)]
pub enum JobState {
    /// Submitted; no attempt yet.
    Pending {
        /// When a scheduled job is due.
        not_before: Option<Timestamp>,
    },
    /// An attempt holds the job.
    Running(RunningLabel),
    /// The last attempt ended, another follows.
    Retry {
        /// No attempt starts before this.
        not_before: Timestamp,
    },
    /// It ended; nothing follows.
    Ended {
        /// How.
        end: End,
        /// When.
        finished_at: Timestamp,
    },
}

/// What a running job shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunningLabel {
    /// PENDING: its module does not track STARTED.
    Pending,
    /// STARTED.
    Started,
    /// A custom state.
    Custom(StateName),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// SUCCESS with the result.
    Success(Payload),
    /// FAILURE with the reason.
    Failure(JobError),
    /// REVOKED; the record's `revoke` says why.
    Revoked,
}

/// The word for where a job stands: Celery's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StateLabel {
    /// PENDING.
    Pending,
    /// STARTED.
    Started,
    /// A custom state.
    Custom(StateName),
    /// RETRY.
    Retry,
    /// SUCCESS.
    Success,
    /// FAILURE.
    Failure,
    /// REVOKED.
    Revoked,
}

impl JobState {
    /// The word that the record shows.
    #[must_use]
    pub fn state(&self) -> StateLabel {
        match self {
            Self::Pending { .. } | Self::Running(RunningLabel::Pending) => StateLabel::Pending,
            Self::Running(RunningLabel::Started) => StateLabel::Started,
            Self::Running(RunningLabel::Custom(name)) => StateLabel::Custom(name.clone()),
            Self::Retry { .. } => StateLabel::Retry,
            Self::Ended { end: End::Success(_), .. } => StateLabel::Success,
            Self::Ended { end: End::Failure(_), .. } => StateLabel::Failure,
            Self::Ended { end: End::Revoked, .. } => StateLabel::Revoked,
        }
    }

    /// The time before which no attempt starts, where there is one.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        match self {
            Self::Pending { not_before } => *not_before,
            Self::Retry { not_before } => Some(*not_before),
            Self::Running(_) | Self::Ended { .. } => None,
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

impl StateLabel {
    /// The word.
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

    /// Reads the word; none if it is neither ours nor a custom state's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "PENDING" => Self::Pending,
            "STARTED" => Self::Started,
            "RETRY" => Self::Retry,
            "SUCCESS" => Self::Success,
            "FAILURE" => Self::Failure,
            "REVOKED" => Self::Revoked,
            _ => Self::Custom(StateName::parse(text).ok()?),
        })
    }

    /// Whether nothing follows.
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
