//! R5: an answer that tells a writer nothing is neither success nor failure. It reads the record until it knows, and
//! decides in the protocol's order.

use std::time::Duration;

use wasmhost_protocol::{JobKey, Record, Standing, Token};

use super::{Records, WriteError};
use crate::backoff::Backoff;

/// How a write ended for who is not the record's owner.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It stands, or stood, with this revision.
    Landed(u64),
    /// Something else stands: decide again. A record with the token of one's own new claim means that the claim
    /// landed and was written over since.
    Moved(Standing),
}

/// How an owner's write ended.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedWrite {
    /// It stands with this revision.
    Landed(u64),
    /// The claim still stands, with something else written over it, such as a revoke: apply the intent on top.
    Moved {
        /// What stands.
        record: Box<Record>,
        /// Its revision.
        revision: u64,
    },
    /// The claim is over: stop, and say nothing.
    Fenced,
}

/// What one try, and the read after it where it told nothing, came to.
enum Tried {
    Landed(u64),
    Moved(Standing),
    Unchanged,
}

impl Records {
    /// Writes the record over revision `expected`, for who is not its owner. Errors are `Full`, `TooLarge` and
    /// `Denied` only.
    pub async fn write(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<Written, WriteError> {
        let mut backoff = Backoff::new();
        loop {
            match self.attempt(key, record, expected, ttl).await? {
                Tried::Landed(revision) => return Ok(Written::Landed(revision)),
                Tried::Moved(standing) => return Ok(Written::Moved(standing)),
                Tried::Unchanged => backoff.wait().await,
            }
        }
    }

    /// Writes the record over revision `expected`, for the owner of `token`. While there is no room it tries again for
    /// ever, so that an outcome is not lost. Errors are `TooLarge` and `Denied` only.
    pub async fn write_owned(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
        token: Token,
    ) -> Result<OwnedWrite, WriteError> {
        let mut backoff = Backoff::new();
        loop {
            match self.attempt(key, record, expected, ttl).await {
                Ok(Tried::Landed(revision)) => return Ok(OwnedWrite::Landed(revision)),
                Ok(Tried::Moved(standing)) => return Ok(owned(standing, token)),
                Ok(Tried::Unchanged) => {}
                Err(error @ WriteError::Full { .. }) => {
                    tracing::warn!(job.key = %key, %error, "keeping an outcome until there is room");
                }
                Err(error) => return Err(error),
            }
            backoff.wait().await;
        }
    }

    async fn attempt(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<Tried, WriteError> {
        match self.compare_and_set(key, record, expected, ttl).await {
            Ok(revision) => return Ok(Tried::Landed(revision)),
            Err(WriteError::Conflict(_)) => {}
            Err(WriteError::Unknown { text, .. }) => {
                tracing::debug!(job.key = %key, text, "a write had no answer; reading what stands");
            }
            Err(error) => return Err(error),
        }
        Ok(judge(record, expected, self.read_until_known(key).await))
    }
}

/// R5's questions to every writer, in its order.
fn judge(record: &Record, expected: u64, standing: Standing) -> Tried {
    match standing {
        Standing::Record { record: found, revision } if found.write == record.write => {
            Tried::Landed(revision)
        }
        Standing::Record { record, revision } if record.is_terminal() => {
            Tried::Moved(Standing::Record { record, revision })
        }
        standing if standing.expected() == expected => Tried::Unchanged,
        standing => Tried::Moved(standing),
    }
}

/// R5's last question, which only an owner asks.
fn owned(standing: Standing, token: Token) -> OwnedWrite {
    match standing {
        Standing::Record { record, revision } if !record.is_terminal() && record.token == Some(token) => {
            OwnedWrite::Moved { record, revision }
        }
        Standing::Record { .. }
        | Standing::Absent
        | Standing::Deleted(_)
        | Standing::Unreadable { .. }
        | Standing::Newer { .. } => OwnedWrite::Fenced,
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::{End, Stage};

    use super::*;
    use crate::{random_token, random_write};

    fn running() -> Record {
        let text = format!(
            r#"{{"state":"STARTED","task":"a.b","id":"1","attempt":1,"queue":"default","host":"h-1","msg_seq":1,
                "submitted_at":"2026-01-31T12:00:00Z","started_at":"2026-01-31T12:00:00Z",
                "updated_at":"2026-01-31T12:00:00Z","token":"{}","write":"{}",
                "delivery":{{"created":"2026-01-31T12:00:00Z","count":1}},"v":1}}"#,
            random_token(),
            random_write()
        );
        Record::from_bytes(text.as_bytes()).unwrap()
    }

    fn ended() -> Record {
        let stage = Stage::Ended { end: End::Revoked, finished_at: crate::now() };
        Record { stage, ..running() }
    }

    fn stands(record: &Record, revision: u64) -> Standing {
        Standing::Record { record: Box::new(record.clone()), revision }
    }

    fn judged(wanted: &Record, expected: u64, standing: Standing, token: Token) -> Option<OwnedWrite> {
        match judge(wanted, expected, standing) {
            Tried::Landed(revision) => Some(OwnedWrite::Landed(revision)),
            Tried::Moved(standing) => Some(owned(standing, token)),
            Tried::Unchanged => None,
        }
    }

    #[test]
    fn the_questions_are_asked_in_the_protocols_order() {
        use OwnedWrite::{Fenced, Landed, Moved};
        let (wanted, running, ended) = (ended(), running(), ended());
        let (own, ends) = (running.token.unwrap(), ended.token.unwrap());
        let moved = Moved { record: Box::new(running.clone()), revision: 7 };
        assert_eq!(judged(&wanted, 5, stands(&wanted, 6), own), Some(Landed(6)));
        assert_eq!(judged(&wanted, 5, stands(&ended, 6), ends), Some(Fenced));
        assert_eq!(judged(&wanted, 5, stands(&ended, 5), ends), Some(Fenced));
        assert_eq!(judged(&wanted, 5, stands(&running, 5), own), None);
        assert_eq!(judged(&wanted, 5, stands(&running, 7), own), Some(moved));
        assert_eq!(judged(&wanted, 5, stands(&running, 7), random_token()), Some(Fenced));
        assert_eq!(judged(&wanted, 0, Standing::Absent, own), None);
        assert_eq!(judged(&wanted, 5, Standing::Absent, own), Some(Fenced));
        assert_eq!(judged(&wanted, 5, Standing::Newer { revision: 6, version: 2 }, own), Some(Fenced));
    }
}
