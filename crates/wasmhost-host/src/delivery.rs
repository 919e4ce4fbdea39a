//! A delivery: one handing-over of a job's message, parsed once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nats_wire::Headers;
use tokio::time::Instant;
use wasmhost_nats::{Delivered, args_digest_of, digest_of};
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::{InvalidName, JobKey, QueueName};
use wasmhost_protocol::machine::JobSpec;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::names::Sourced;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::timestamp::Timestamp;

use crate::due::Fired;

/// One delivery of a job's message.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Delivered,
    pub(crate) key: JobKey,
    pub(crate) queue: QueueName,
    pub(crate) options: JobOptions,
    /// Where a schedule fired it, if one did.
    pub(crate) fired: Option<Arc<Fired>>,
    pub(crate) msg_seq: u64,
    pub(crate) stored_at: Timestamp,
    pub(crate) delivery: wasmhost_protocol::record::DeliveryOrdinal,
    /// When this host had it.
    pub(crate) received_at: Instant,
}

/// A message that is no job.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Its subject names no job, so it has no record either.
    Subject { message: Box<Delivered>, why: InvalidName },
    /// The headers of a job that can be named.
    Headers { delivery: Box<Delivery>, why: String },
}

impl Delivery {
    /// Reads a message that a consumer created at `created` delivered.
    pub(crate) fn parse(names: &Names, message: Delivered, created: Timestamp) -> Result<Self, Unreadable> {
        let Delivered { sequence: msg_seq, count, stored_at, .. } = message;
        let subject = match names.parse_job_subject(&message.subject) {
            Ok(subject) => subject,
            Err(why) => {
                return Err(Unreadable::Subject { message: Box::new(message), why });
            }
        };
        let sourced = Sourced::parse(names, pairs(&message));
        let key = subject.key(sourced.as_ref(), (msg_seq, stored_at), || digest_of(&message.payload));
        let options = read_options(&message);
        let (options, bad) = match options {
            Ok(options) => (options, None),
            Err(why) => (JobOptions::default(), Some(why)),
        };
        let delivery = Self {
            key,
            queue: subject.queue,
            options,
            fired: fired(names, &message).map(Arc::new),
            msg_seq,
            stored_at,
            delivery: wasmhost_protocol::record::DeliveryOrdinal { created, count },
            received_at: Instant::now(),
            message,
        };
        match bad {
            None => Ok(delivery),
            Some(why) => Err(Unreadable::Headers { delivery: Box::new(delivery), why }),
        }
    }

    /// The arguments, as they came.
    pub(crate) fn body(&self) -> &Bytes {
        &self.message.payload
    }

    /// How long the record of the job's end is kept: as the job says, else as its module does. Zero drops the result alone.
    pub(crate) fn result_ttl(&self, policy: &Policy) -> Duration {
        policy.result_ttl(self.options.result_ttl)
    }

    /// What the message alone says of the job.
    pub(crate) fn submission(&self) -> JobSpec {
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
}

fn read_options(message: &Delivered) -> Result<JobOptions, String> {
    match &message.headers {
        Ok(headers) => JobOptions::parse(headers.iter(), HeaderScope::Job).map_err(|error| error.to_string()),
        Err(why) => Err(format!("its headers are unreadable: {why}")),
    }
}

/// Where a schedule fired the message, if one did.
pub(crate) fn fired(names: &Names, message: &Delivered) -> Option<Fired> {
    Fired::of(names, &message.subject, pairs(message), &message.payload)
}

fn pairs(message: &Delivered) -> impl Iterator<Item = (&str, &str)> + Clone {
    message.headers.iter().flat_map(Headers::iter)
}
