//! Publishing the message of a PENDING record, or its schedule, until it is known to stand or the time for it is over.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use wasmhost_nats::schedules::schedule_job;
use wasmhost_nats::{PublishError, ReadError, SET_UP_WITHIN, fault, publish_job};
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::record::StateLabel;

use super::find::Found;
use super::{Held, Step, SubmitError, Submitting};

/// The first pause between two tries; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a try came to.
enum Tried {
    /// It is known how it goes on.
    Known(Step),
    /// Try again; where the time is over, this is why.
    Again(Held, SubmitError),
}

impl Submitting<'_> {
    pub(super) async fn publish(&mut self, mut held: Held) -> Result<Step, SubmitError> {
        let mut pause = FIRST_PAUSE;
        let mut last = self.unreachable("the time to publish it is over");
        while !self.is_late() {
            (held, last) = match self.try_once(held).await? {
                Tried::Known(step) => return Ok(step),
                Tried::Again(held, why) => (held, why),
            };
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        Err(self.abort(&held, last).await)
    }

    async fn try_once(&mut self, held: Held) -> Result<Tried, SubmitError> {
        // The subject of a schedule refuses a second one only until the first has fired.
        if held.due().is_some() && (self.doubt || !held.created) {
            match self.find(&held).await {
                Ok(Found::Nowhere) => {}
                found => return self.conclude(held, found).await,
            }
        }
        match self.send(&held).await {
            Ok(duplicate) => {
                fault::point("after-publish");
                // async-nats keeps a publish across a reconnect: a late answer may have been overtaken.
                if duplicate || self.is_late() {
                    return self.confirm(held).await;
                }
                Ok(Tried::Known(Step::Accepted(StateLabel::Pending, held.revision)))
            }
            Err(PublishError::Stands(_)) => self.confirm(held).await,
            Err(PublishError::Full { text, .. }) if self.doubt => Ok(Tried::Again(held, self.full(text))),
            Err(PublishError::Full { text, .. }) => Err(self.abort(&held, self.full(text)).await),
            Err(PublishError::Denied { text, .. }) => {
                let denied = SubmitError::Denied { key: self.key.clone(), why: text };
                Err(self.abort(&held, denied).await)
            }
            Err(PublishError::TooLarge(key)) => {
                let too_large = SubmitError::OverServerLimit { key, why: "its message" };
                Err(self.abort(&held, too_large).await)
            }
            Err(error) => {
                // It may have been stored for all that is known: nothing is taken back from here on.
                self.doubt |= !matches!(error, PublishError::Unheard { .. });
                if let Some(missing) = self.missing_stream(&held).await {
                    return Err(self.abort(&held, missing).await);
                }
                Ok(Tried::Again(held, self.unreachable(error.to_string())))
            }
        }
    }

    /// The error of a stream that is not there, once the server has said so for long enough.
    async fn missing_stream(&self, held: &Held) -> Option<SubmitError> {
        if self.started.elapsed() < SET_UP_WITHIN {
            return None;
        }
        match self.find(held).await {
            Err(ReadError::NotSetUp { text, .. }) => {
                Some(SubmitError::NotSetUp { key: self.key.clone(), why: text })
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Sends the message or its schedule; whether the server says that it has it already.
    async fn send(&self, held: &Held) -> Result<bool, PublishError> {
        let options = JobOptions {
            revision: Some(held.revision),
            args_digest: held.record.args_digest,
            submitted_at: Some(held.record.submitted_at),
            ..self.submission.options.clone()
        };
        let connection = self.client.connection();
        // The record's queue and time: whoever wrote it may have published there already.
        let (queue, body) = (&held.record.queue, self.submission.arguments.clone());
        let published = match held.due() {
            None => publish_job(connection, queue, &self.key, &options, body).await?,
            Some(at) => schedule_job(connection, queue, &self.key, &options, at, body).await?,
        };
        Ok(published.duplicate)
    }

    async fn confirm(&mut self, held: Held) -> Result<Tried, SubmitError> {
        let found = self.find(&held).await;
        self.conclude(held, found).await
    }

    /// After a doubt: T0b, then accepted where this run's message stands, published again where none does.
    async fn conclude(&mut self, held: Held, found: Result<Found, ReadError>) -> Result<Tried, SubmitError> {
        let stands = match found {
            Ok(Found::Stands) => true,
            Ok(Found::Nowhere) => false,
            Ok(Found::Older) => {
                return Ok(Tried::Again(held, SubmitError::Occupied { key: self.key.clone() }));
            }
            Err(ReadError::Denied { text, .. }) => {
                return Err(SubmitError::Denied { key: self.key.clone(), why: text });
            }
            Err(error) => {
                self.doubt = true;
                return Ok(Tried::Again(held, self.unreachable(error.to_string())));
            }
        };
        Ok(match self.touch(&held.record, held.revision).await? {
            Step::Publish(touched) if stands => {
                Tried::Known(Step::Accepted(StateLabel::Pending, touched.revision))
            }
            Step::Publish(touched) => {
                let gone = self.unreachable("its message is gone, and the stream takes no other yet");
                Tried::Again(Held { created: held.created, ..touched }, gone)
            }
            step @ (Step::Accepted(..) | Step::Decide(_)) => Tried::Known(step),
        })
    }

    /// Gives up. T11, unless the record is another client's or a message of it may stand.
    async fn abort(&self, held: &Held, why: SubmitError) -> SubmitError {
        if held.created && !self.doubt {
            let deleted = self.client.records().delete(&self.key, held.revision);
            if !matches!(timeout(self.client.publish_within(), deleted).await, Ok(Ok(true))) {
                tracing::warn!(job.key = %self.key, "the record of a job that was not published stays behind");
            }
        }
        why
    }
}
