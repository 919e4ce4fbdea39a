//! What a capture lacks. Each gap is a reason why the run proves nothing.

use std::fmt;

use serde::Serialize;
use wasmhost_protocol::ids::JobKey;

/// Something that a capture lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "gap", rename_all = "kebab-case")]
pub enum Gap {
    /// No job was accepted, so that nothing was promised.
    Nothing,
    /// No recorder says up to which revision it recorded, so that the newest revisions may be missing.
    NoSpan,
    /// Revisions that were stored while a recorder was there, of unknown jobs.
    Unseen {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The bucket was recreated while a recorder was there, so that its numbers began again.
    Restarted {
        /// The revision that was expected next.
        first: u64,
        /// The bucket's last revision at the end.
        last: u64,
    },
    /// A revision of a job is missing.
    Revision {
        /// The job.
        key: JobKey,
        /// The revision after the one that is missing.
        before: u64,
        /// The revision that is missing, where it is known.
        missing: Option<u64>,
    },
    /// A revision that could not be checked: it has neither a record nor a marker, or the record has a version that the
    /// auditor does not know. In JSON the gap is `unjudged`.
    #[serde(rename = "unjudged")]
    Unchecked {
        /// The job.
        key: JobKey,
        /// The revision.
        revision: u64,
        /// What it is.
        why: String,
    },
    /// An accepted job had not ended, and nothing says that the system was idle.
    NotIdle {
        /// The job.
        key: JobKey,
    },
    /// A result could not be read, perhaps because its time to live had ended.
    Expired {
        /// The job.
        key: JobKey,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no job was accepted"),
            Self::NoSpan => f.write_str("no recorder says up to which revision it was there"),
            Self::Unseen { first, last } if first == last => write!(f, "revision {first} was not seen"),
            Self::Unseen { first, last } => write!(f, "revisions {first} to {last} were not seen"),
            Self::Restarted { first, last } => {
                write!(f, "the bucket was recreated: revision {first} was to come, {last} was the last")
            }
            Self::Revision { key, before, missing: Some(missing) } => {
                write!(f, "{key}: revision {missing}, before {before}, was not seen")
            }
            Self::Revision { key, before, missing: None } => {
                write!(f, "{key}: what came before revision {before} is not known")
            }
            Self::Unchecked { key, revision, why } => write!(f, "{key}: revision {revision} is {why}"),
            Self::NotIdle { key } => {
                write!(f, "{key} has not ended, and nothing says that the system was idle")
            }
            Self::Expired { key } => {
                write!(f, "{key}: the result was not readable, and may have been deleted by then")
            }
        }
    }
}
