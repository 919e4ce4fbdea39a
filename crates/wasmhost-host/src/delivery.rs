//! A delivery: a job's message as a consumer handed it over, parsed once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nats_wire::Headers;
use tokio::time::Instant;
use wasmhost_nats::{Connection, Delivered, args_digest_of, digest_of};
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::{InvalidName, JobKey, QueueName};
use wasmhost_protocol::machine::JobSpec;
use wasmhost_protocol::names::{Names, Sourced};
use wasmhost_protocol::record::DeliveryOrdinal;
use wasmhost_protocol::timestamp::Timestamp;

use crate::due::Fired;
use crate::settle::in_progress;

/// One delivery of a job's message.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Delivered,
    pub(crate) key: JobKey,
    pub(crate) queue: QueueName,
    /// What the headers ask for; nothing, where they cannot be read.
    pub(crate) options: JobOptions,
    /// Why the headers cannot be read as those of a job: it ends in `BadJob`.
    pub(crate) bad_headers: Option<String>,
    /// Where a schedule fired it, if one did.
    pub(crate) fired: Option<Arc<Fired>>,
    pub(crate) msg_seq: u64,
    pub(crate) stored_at: Timestamp,
    /// Which delivery of the message it is.
    pub(crate) ordinal: DeliveryOrdinal,
    /// When this host received it.
    pub(crate) received_at: Instant,
}

/// A message whose subject names no job, so that there is no record to end either.
#[derive(Debug)]
pub(crate) struct NotAJob {
    pub(crate) message: Delivered,
    pub(crate) why: InvalidName,
    /// Where a schedule fired it, if one did.
    pub(crate) fired: Option<Fired>,
}

impl Delivery {
    /// Reads a message that the consumer made at `created` delivered.
    pub(crate) fn parse(names: &Names, message: Delivered, created: Timestamp) -> Result<Self, Box<NotAJob>> {
        let fired = Fired::of(names, &message.subject, pairs(&message), &message.payload);
        let subject = match names.parse_job_subject(&message.subject) {
            Ok(subject) => subject,
            Err(why) => return Err(Box::new(NotAJob { message, why, fired })),
        };
        let sourced = Sourced::parse(names, pairs(&message));
        let stored = (message.sequence, message.stored_at);
        let key = subject.key(sourced.as_ref(), stored, || digest_of(&message.payload));
        let (options, bad_headers) = match read_options(&message) {
            Ok(options) => (options, None),
            Err(why) => (JobOptions::default(), Some(why)),
        };
        Ok(Self {
            key,
            queue: subject.queue,
            options,
            bad_headers,
            fired: fired.map(Arc::new),
            msg_seq: message.sequence,
            stored_at: message.stored_at,
            ordinal: DeliveryOrdinal { created, count: message.count },
            received_at: Instant::now(),
            message,
        })
    }

    /// The arguments, as they came.
    pub(crate) fn body(&self) -> &Bytes {
        &self.message.payload
    }

    /// What the message alone says of the job.
    pub(crate) fn spec(&self) -> JobSpec {
        JobSpec {
            key: self.key.clone(),
            queue: self.queue.clone(),
            submitted_at: self.options.submitted_at.unwrap_or(self.stored_at),
            not_before: None,
            expires_at: self.options.expires_at,
            max_attempts: self.options.max_attempts,
            args_digest: Some(self.options.args_digest.unwrap_or_else(|| args_digest_of(self.body()))),
            digest: self.options.digest,
            parent: self.options.parent.clone(),
            after: None,
        }
    }

    /// Does `work`, and extends the acknowledgement deadline every third of `ack_wait` meanwhile: while the server is away,
    /// further deliveries would queue up behind this one, and each take the job from the one before. The second value is
    /// the time from which the delivery is known to be held.
    pub(crate) async fn keep_alive<T>(
        &self,
        connection: &Connection,
        ack_wait: Duration,
        work: impl Future<Output = T>,
    ) -> (T, Instant) {
        let mut work = std::pin::pin!(work);
        let mut held_since = self.received_at;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return (done, held_since),
                () = tokio::time::sleep(ack_wait / 3) => {
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

fn pairs(message: &Delivered) -> impl Iterator<Item = (&str, &str)> + Clone {
    message.headers.iter().flat_map(Headers::iter)
}
