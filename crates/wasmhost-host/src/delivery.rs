//! A delivery: the message of a job as a consumer handed it over, parsed once.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nats_wire::Headers;
use tokio::time::Instant;
use wasmhost_nats::{Connection, Delivered};
use wasmhost_protocol::arguments::args_digest;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::{InvalidName, JobKey, QueueName};
use wasmhost_protocol::machine::JobSpec;
use wasmhost_protocol::names::{Names, ScheduleOrigin};
use wasmhost_protocol::record::DeliveryOrdinal;
use wasmhost_protocol::timestamp::Timestamp;

use crate::due::DueMessage;
use crate::settle::in_progress;

/// One delivery of a job's message.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Delivered,
    pub(crate) key: JobKey,
    pub(crate) queue: QueueName,
    /// What the headers ask for; nothing where they cannot be read.
    pub(crate) options: JobOptions,
    /// Why the headers cannot be read as those of a job. Such a job ends in FAILURE with the kind `BadJob`.
    pub(crate) bad_headers: Option<String>,
    /// The due message that this one was copied from, where a schedule fired it.
    pub(crate) due: Option<Arc<DueMessage>>,
    pub(crate) msg_seq: u64,
    pub(crate) stored_at: Timestamp,
    /// Which delivery of the message this is.
    pub(crate) ordinal: DeliveryOrdinal,
    /// When this host received it.
    pub(crate) received_at: Instant,
}

/// A message whose subject names no job, so that it has no record that could end either.
#[derive(Debug)]
pub(crate) struct NotAJob {
    pub(crate) message: Delivered,
    pub(crate) why: InvalidName,
    /// The due message that this one was copied from, where a schedule fired it.
    pub(crate) due: Option<DueMessage>,
}

impl Delivery {
    /// Reads a message that was delivered by a consumer that was created at `consumer_created`.
    pub(crate) fn parse(
        names: &Names,
        message: Delivered,
        consumer_created: Timestamp,
    ) -> Result<Self, Box<NotAJob>> {
        // A message that names no job may have been fired as well: its due message must not bring it again.
        let due = DueMessage::of(names, &message.subject, pairs(&message), &message.payload);
        let subject = match names.parse_job_subject(&message.subject) {
            Ok(subject) => subject,
            Err(why) => return Err(Box::new(NotAJob { message, why, due })),
        };
        let origin = ScheduleOrigin::parse(names, pairs(&message));
        let stored = (message.sequence, message.stored_at);
        let key = subject.key(origin.as_ref(), stored, || Digest::of(&message.payload));
        // Headers that cannot be read end the job, and a job that ends has a key: the subject alone must give it.
        let (options, bad_headers) = match read_options(&message) {
            Ok(options) => (options, None),
            Err(why) => (JobOptions::default(), Some(why)),
        };
        Ok(Self {
            key,
            queue: subject.queue,
            options,
            bad_headers,
            due: due.map(Arc::new),
            msg_seq: message.sequence,
            stored_at: message.stored_at,
            ordinal: DeliveryOrdinal { created: consumer_created, count: message.count },
            received_at: Instant::now(),
            message,
        })
    }

    /// Returns the job's arguments, as they were published.
    pub(crate) fn body(&self) -> &Bytes {
        &self.message.payload
    }

    /// Returns what the message alone says of the job.
    pub(crate) fn spec(&self) -> JobSpec {
        JobSpec {
            key: self.key.clone(),
            queue: self.queue.clone(),
            submitted_at: self.options.submitted_at.unwrap_or(self.stored_at),
            not_before: None,
            expires_at: self.options.expires_at,
            max_attempts: self.options.max_attempts,
            args_digest: Some(self.options.args_digest.unwrap_or_else(|| args_digest(self.body()))),
            digest: self.options.digest,
            parent: self.options.parent.clone(),
            notify: self.options.notify.clone(),
            after: None,
        }
    }

    /// Does `work`, and sends a sign of life every third of `ack_wait` meanwhile. The second value is the time from which the
    /// delivery is known to be held.
    ///
    /// While the server does not answer, further deliveries of the message would otherwise queue up behind this one, and each
    /// of them take the job from the one before.
    pub(crate) async fn keep_alive<T>(
        &self,
        connection: &Connection,
        ack_wait: Duration,
        work: impl Future<Output = T>,
    ) -> (T, Instant) {
        let mut work = pin!(work);
        let mut held_since = self.received_at;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return (done, held_since),
                () = tokio::time::sleep(ack_wait / 3) => {
                    // The time before the sending: the server may have counted from any moment after it.
                    let asked_at = Instant::now();
                    if in_progress(connection, &self.message).await {
                        held_since = asked_at;
                    }
                }
            }
        }
    }
}

fn read_options(message: &Delivered) -> Result<JobOptions, String> {
    match &message.headers {
        Ok(headers) => JobOptions::parse(headers.iter(), HeaderScope::Job).map_err(|error| error.to_string()),
        Err(why) => Err(format!("its headers are unreadable: {why}")),
    }
}

/// Returns the headers; none where they cannot be read.
fn pairs(message: &Delivered) -> impl Iterator<Item = (&str, &str)> + Clone {
    message.headers.iter().flat_map(Headers::iter)
}

#[cfg(test)]
mod tests;
