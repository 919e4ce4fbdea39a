//! A submission under way: what each of its steps needs, and what follows from a step.

use tokio::time::Instant;
use wasmhost_nats::{EndNotice, now};
use wasmhost_protocol::arguments::args_digest;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::{Record, StateLabel, StoredEntry};
use wasmhost_protocol::timestamp::Timestamp;

use super::error::SubmitError;
use crate::client::Client;
use crate::submission::Submission;

/// A submission under way.
pub(super) struct Submitting<'a> {
    pub(super) client: &'a Client,
    pub(super) submission: Submission,
    pub(super) key: JobKey,
    pub(super) args_digest: Digest,
    /// When the job is to be queued, if not at once.
    pub(super) due: Option<Timestamp>,
    /// A time before the first record was sent.
    started: Instant,
    /// Whether a publish had no answer. Its message may be stored then, and the record is not taken back from under it.
    pub(super) in_doubt: bool,
    /// The notice of the job's end, while its record is this submission's own.
    pub(super) notice: Option<EndNotice>,
}

/// What follows from a step of a submission.
pub(super) enum Step {
    /// Something stands under the key that decides how the submission goes on.
    Decide(StoredEntry),
    /// A PENDING record stands whose message is to be published.
    Publish(Pending),
    /// The job is accepted, in this state and with a record of this revision.
    Accepted(StateLabel, u64),
}

/// A PENDING record that this submission wrote last.
pub(super) struct Pending {
    pub(super) record: Box<Record>,
    pub(super) revision: u64,
    /// Whether this submission made the record. One that it only touched is never taken back.
    pub(super) is_own: bool,
}

impl Pending {
    /// When the job is due, where it is scheduled. The record says so, since another client may have written it.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.record.state.not_before()
    }
}

impl<'a> Submitting<'a> {
    pub(super) fn new(client: &'a Client, mut submission: Submission, notice: Option<EndNotice>) -> Self {
        Self {
            client,
            key: submission.key(),
            args_digest: args_digest(&submission.arguments),
            due: submission.due(now()),
            submission,
            started: Instant::now(),
            in_doubt: false,
            notice,
        }
    }

    /// How long the submission has been under way.
    pub(super) fn elapsed(&self) -> std::time::Duration {
        self.started.elapsed()
    }

    /// Whether the time for publishing is over. From then on a reconciler may end the record.
    pub(super) fn is_late(&self) -> bool {
        self.elapsed() > self.client.publish_timeout()
    }

    pub(super) fn unreachable(&self, why: impl Into<String>) -> SubmitError {
        SubmitError::Unreachable { key: self.key.clone(), why: why.into() }
    }

    pub(super) fn full(&self, why: String) -> SubmitError {
        SubmitError::QueueFull { queue: self.submission.queue.clone(), why }
    }
}
