//! Publishing the message of a PENDING record, or its schedule, until it is known to be stored or the time for it is over.

use std::time::Duration;

use tokio::time::timeout;
use wasmhost_nats::schedules::schedule_job;
use wasmhost_nats::{Backoff, PublishError, ReadError, SET_UP_WITHIN, fault, publish_job};
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::record::StateLabel;

use super::error::SubmitError;
use super::find::Found;
use super::submitting::{Pending, Step, Submitting};

/// The pause before the second try is at most so long, and each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a try to publish came to.
enum Tried {
    /// It is known how the submission goes on.
    Known(Step),
    /// The next try may succeed. Where the time is over, the error says why this one did not.
    Again(Pending, SubmitError),
}

impl Submitting<'_> {
    /// Publishes the message of `pending`. What follows is an acceptance, or what stands under the key instead.
    pub(super) async fn publish(&mut self, mut pending: Pending) -> Result<Step, SubmitError> {
        let mut backoff = Backoff::between(FIRST_PAUSE, LONGEST_PAUSE);
        let mut last = self.unreachable("the time to publish it is over");
        while !self.is_late() {
            (pending, last) = match self.try_to_publish(pending).await? {
                Tried::Known(step) => return Ok(step),
                Tried::Again(pending, why) => (pending, why),
            };
            backoff.wait().await;
        }
        Err(Box::pin(self.give_up(&pending, last)).await)
    }

    /// Tries once. What few submissions await is boxed, since the future of each has room for all that it may await.
    async fn try_to_publish(&mut self, pending: Pending) -> Result<Tried, SubmitError> {
        // The subject of a schedule refuses a second one only until the first has fired, so that a schedule which may be
        // there already is looked for.
        if pending.due().is_some() && (self.in_doubt || !pending.is_own) {
            match Box::pin(self.find(&pending)).await {
                Ok(Found::Nowhere) => {}
                found => return Box::pin(self.settle_doubt(pending, found)).await,
            }
        }
        match self.send(&pending).await {
            Ok(is_duplicate) => {
                fault::point("after-publish");
                // A publish may wait for a connection, so that a late answer may have been overtaken.
                if is_duplicate || self.is_late() {
                    return Box::pin(self.confirm(pending)).await;
                }
                Ok(Tried::Known(Step::Accepted(StateLabel::Pending, pending.revision)))
            }
            Err(PublishError::AlreadyStored(_)) => Box::pin(self.confirm(pending)).await,
            Err(error) => Box::pin(self.not_sent(pending, error)).await,
        }
    }

    /// Sends the message or its schedule. The answer is whether the server had it already.
    async fn send(&self, pending: &Pending) -> Result<bool, PublishError> {
        let options = JobOptions {
            revision: Some(pending.revision),
            args_digest: pending.record.args_digest,
            submitted_at: Some(pending.record.submitted_at),
            notify: pending.record.notify.clone(),
            ..self.submission.options.clone()
        };
        let connection = self.client.connection();
        // Queue and time are the record's: the client that wrote it may have published there already.
        let queue = &pending.record.queue;
        let body = self.submission.arguments.clone();
        let published = match pending.due() {
            None => publish_job(connection, queue, &self.key, &options, body).await?,
            Some(at) => Box::pin(schedule_job(connection, queue, &self.key, &options, at, body)).await?,
        };
        Ok(published.duplicate)
    }

    /// Decides whether a publish that failed is tried again.
    async fn not_sent(&mut self, pending: Pending, error: PublishError) -> Result<Tried, SubmitError> {
        let refusal = match error {
            // A message of an earlier try may be stored, and fill the last place itself.
            PublishError::Full { text, .. } if self.in_doubt => {
                return Ok(Tried::Again(pending, self.full(text)));
            }
            PublishError::Full { text, .. } => self.full(text),
            PublishError::Denied { text, .. } => SubmitError::Denied { key: self.key.clone(), why: text },
            PublishError::TooLarge(key) => SubmitError::OverServerLimit { key, why: "its message" },
            error => {
                // Unless no stream heard it, the message may be stored, and from here on the record is not taken back.
                self.in_doubt |= !matches!(error, PublishError::NoStream { .. });
                match self.missing_stream(&pending).await {
                    Some(missing) => missing,
                    None => return Ok(Tried::Again(pending, self.unreachable(error.to_string()))),
                }
            }
        };
        Err(self.give_up(&pending, refusal).await)
    }

    /// The error for a stream that is not there, once the server has said so for long enough: while it starts it says so
    /// for a moment too.
    async fn missing_stream(&self, pending: &Pending) -> Option<SubmitError> {
        if self.elapsed() < SET_UP_WITHIN {
            return None;
        }
        match self.find(pending).await {
            Err(ReadError::NotSetUp { text, .. }) => {
                Some(SubmitError::NotSetUp { key: self.key.clone(), why: text })
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Looks for the message that the server says it has already, or may have.
    async fn confirm(&mut self, pending: Pending) -> Result<Tried, SubmitError> {
        let found = self.find(&pending).await;
        self.settle_doubt(pending, found).await
    }

    /// Decides by where the message was found how the submission goes on.
    async fn settle_doubt(
        &mut self,
        pending: Pending,
        found: Result<Found, ReadError>,
    ) -> Result<Tried, SubmitError> {
        match found {
            // In both cases the record is touched first, so that no reconciler ends it meanwhile.
            Ok(Found::Stored) => {
                Ok(Tried::Known(accepted(self.touch(&pending.record, pending.revision).await?)))
            }
            Ok(Found::Nowhere) => {
                let touched = self.touch(&pending.record, pending.revision).await?;
                Ok(self.again(&pending, touched))
            }
            Ok(Found::OfEarlierRun) => {
                Ok(Tried::Again(pending, SubmitError::Occupied { key: self.key.clone() }))
            }
            Err(ReadError::Denied { text, .. }) => {
                Err(SubmitError::Denied { key: self.key.clone(), why: text })
            }
            Err(error) => {
                self.in_doubt = true;
                Ok(Tried::Again(pending, self.unreachable(error.to_string())))
            }
        }
    }

    /// Publishes again after the touch of a record whose message is nowhere.
    fn again(&self, pending: &Pending, step: Step) -> Tried {
        match step {
            Step::Publish(touched) => {
                let gone = self.unreachable("its message is gone, and the stream takes no other yet");
                // A record that this submission made stays its own when it is touched.
                Tried::Again(Pending { is_own: pending.is_own, ..touched }, gone)
            }
            step @ (Step::Accepted(..) | Step::Decide(_)) => Tried::Known(step),
        }
    }

    /// Takes the record back, unless it is another client's or its message may be stored. A record that stays is ended by a
    /// reconciler.
    async fn give_up(&self, pending: &Pending, why: SubmitError) -> SubmitError {
        if pending.is_own && !self.in_doubt {
            let deleted = self.client.records().delete(&self.key, pending.revision);
            if !matches!(timeout(self.client.publish_timeout(), deleted).await, Ok(Ok(true))) {
                tracing::warn!(job.key = %self.key, "the record of a job that was not published stays behind");
            }
        }
        why
    }
}

/// What follows from the touch of a record whose message is stored.
fn accepted(step: Step) -> Step {
    match step {
        Step::Publish(touched) => Step::Accepted(StateLabel::Pending, touched.revision),
        step @ (Step::Accepted(..) | Step::Decide(_)) => step,
    }
}
