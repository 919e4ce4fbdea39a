//! Why the server does not have the streams and consumers that the protocol needs.

use std::collections::BTreeSet;
use std::fmt;

use super::difference::Difference;

/// Why the server does not have the streams and consumers that the protocol needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// JetStream is off.
    #[error(
        "use JetStream: {0}; start nats-server with `-js` or a `jetstream {{}}` block, and enable it for the account"
    )]
    JetStreamOff(String),
    /// Something that exists has other settings, or something that is missing could not be made. These are all
    /// problems.
    #[error("use what exists on the server:{}", lines(.0))]
    Problems(Vec<Problem>),
    /// A permission is missing.
    #[error("check `{object}`: {text}")]
    Denied {
        /// The stream or consumer.
        object: String,
        /// The server's description.
        text: String,
    },
    /// There is no answer.
    #[error("check `{object}`: {text}")]
    Unreachable {
        /// The stream or consumer.
        object: String,
        /// What went wrong.
        text: String,
    },
}

/// One thing that is not as the protocol needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Something that exists has another setting.
    Setting(Difference),
    /// Something is missing, and is not made before the other problems are fixed.
    Missing(String),
    /// The server refuses to make something that is missing.
    Refused {
        /// The stream or consumer.
        object: String,
        /// The server's description.
        text: String,
        /// What an operator changes so that it can be made, where that is known.
        fix: Option<String>,
    },
}

/// A line for each problem, and then a line for each fix: one setting may keep all streams from being made.
fn lines(problems: &[Problem]) -> String {
    let fixes = problems.iter().filter_map(|problem| match problem {
        Problem::Refused { fix, .. } => fix.as_deref(),
        Problem::Setting(_) | Problem::Missing(_) => None,
    });
    let fixes: BTreeSet<_> = fixes.map(|fix| format!("fix: {fix}")).collect();
    let problems = problems.iter().map(ToString::to_string);
    problems.chain(fixes).map(|line| format!("\n  {line}")).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(difference) => difference.fmt(f),
            Self::Missing(object) => {
                write!(f, "`{object}` is missing; it is made when all else is as wanted")
            }
            Self::Refused { object, text, fix: _ } => write!(f, "`{object}` cannot be made: {text}"),
        }
    }
}

impl LayoutError {
    /// The error of something that exists with other settings.
    #[must_use]
    pub fn of_settings(differences: Vec<Difference>) -> Self {
        Self::Problems(differences.into_iter().map(Problem::Setting).collect())
    }

    /// The error of something that the server refuses to make.
    pub(super) fn refused(object: &str, text: impl Into<String>, fix: Option<String>) -> Self {
        Self::Problems(vec![Problem::Refused { object: object.to_owned(), text: text.into(), fix }])
    }
}

/// Adds the problems of one object to those of all. Any other error ends the comparison.
pub(super) fn collect<T>(
    inspected: Result<T, LayoutError>,
    problems: &mut Vec<Problem>,
) -> Result<Option<T>, LayoutError> {
    match inspected {
        Ok(found) => Ok(Some(found)),
        Err(LayoutError::Problems(more)) => {
            problems.extend(more);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
