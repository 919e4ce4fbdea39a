//! The subjects that a host publishes and subscribes to: what its user must be allowed.

use super::ack;
use super::deployment::{Names, kv_subject};
use crate::ids::{JobKey, QueueName};

/// What is no request to anybody.
const NO_REQUEST: &str = "no request";

/// What is done with a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Publishing to it.
    Publish,
    /// Subscribing to it.
    Subscribe,
}

/// A right that a host needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// What is done.
    pub way: Way,
    /// The subject as permissions grant it, perhaps with wildcards.
    pub subject: String,
    /// One subject under it, to try it with.
    pub tried: String,
    /// What may be sent there without a reply, and changes nothing.
    pub harmless: String,
    /// What the host does there, for people.
    pub purpose: &'static str,
}

/// The rights of a host.
impl Names {
    /// All that a host of these queues needs while it serves. `key` is of a job that is nobody's: it is tried with.
    #[must_use]
    pub fn rights_of_host(&self, queues: &[QueueName], key: &JobKey) -> Vec<Right> {
        let mut rights = vec![listens(format!("{}.>", self.inbox_prefix()), "answers to its own requests")];
        rights.push(asks("$JS.API.INFO".to_owned(), "asking whether JetStream is on"));
        rights.extend(self.rights_to_look());
        rights.extend(queues.iter().flat_map(|queue| self.rights_to_pull(queue)));
        rights.extend(self.rights_to_write(key));
        rights.extend(self.rights_to_read(key));
        rights.extend(self.rights_to_serve());
        rights
    }

    /// That of answering who asked: found out only by answering `reply`.
    #[must_use]
    pub fn right_to_answer(&self, reply: &str) -> Right {
        let purpose = "answers of its services (or `allow_responses: true`)";
        Right { tried: reply.to_owned(), ..asks(format!("{}.>", self.inbox_prefix()), purpose) }
    }

    fn rights_to_look(&self) -> impl Iterator<Item = Right> {
        let streams = [
            self.schedules_stream(),
            self.jobs_stream(),
            self.states_stream(),
            self.modules_stream(),
            self.hosts_stream(),
            self.components_stream(),
            self.blobs_stream(),
            self.logs_stream(),
            self.dead_stream(),
        ];
        streams
            .into_iter()
            .map(|it| asks(format!("$JS.API.STREAM.INFO.{it}"), "comparing a stream's settings"))
    }

    fn rights_to_pull(&self, queue: &QueueName) -> [Right; 5] {
        let (stream, consumer) = (self.jobs_stream(), self.consumer(queue));
        let acks = format!("$JS.ACK.{stream}.{consumer}");
        [
            asks(format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"), "comparing a queue's consumer"),
            asks(self.next_message(queue), "asking for jobs"),
            Right {
                tried: format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.{}", self.jobs_of_queue(queue)),
                ..asks(
                    format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>"),
                    "making a queue's consumer, where somebody removed it",
                )
            },
            asks(
                format!("$JS.API.CONSUMER.DELETE.{stream}.{consumer}"),
                "making a queue's consumer anew, where somebody changed it",
            ),
            // The sign of life of a delivery that never was: count, sequences, time and what is pending.
            Right {
                harmless: ack::IN_PROGRESS.to_owned(),
                ..tells(format!("{acks}.>"), format!("{acks}.1.0.0.0.0"), "settling jobs")
            },
        ]
    }

    fn rights_to_write(&self, key: &JobKey) -> [Right; 9] {
        let queue = QueueName::default_queue();
        let blob = |part: &str| format!("$O.{}.{part}", self.blobs_store());
        [
            tells(self.states_filter(), self.state_subject(key), "recording jobs"),
            tells(
                kv_subject(&self.hosts_bucket(), '>'),
                kv_subject(&self.hosts_bucket(), "rights"),
                "its heartbeat",
            ),
            tells(blob("C.>"), blob("C.rights"), "storing large results and checkpoints"),
            tells(blob("M.>"), blob("M.rights"), "describing large results and checkpoints"),
            tells(self.dead_filter(), self.dead_subject(key), "keeping dead jobs for people"),
            tells(self.logs_filter(), self.logs_subject(key), "keeping what tasks log"),
            tells(
                self.jobs_filter(),
                self.job_subject(&queue, key),
                "publishing jobs that are submitted to it",
            ),
            tells(
                format!("{}.schedules.>", self.lower),
                self.schedule(&queue, key),
                "scheduling jobs that are submitted to it",
            ),
            tells(
                self.revoke_broadcast_filter(),
                self.revoke_broadcast(key),
                "waking who runs a revoked job",
            ),
        ]
    }

    fn rights_to_read(&self, key: &JobKey) -> Vec<Right> {
        let got = |stream: String| asks(Self::stream_message(&stream), "reading jobs, records and modules");
        let directly =
            |stream: String| asks(Self::direct_messages(&stream), "reading what a bucket or a store holds");
        // Should it be obeyed after all, there is nothing on this subject.
        let purged = |stream: String| Right {
            harmless: format!("{{\"filter\":\"{}\"}}", self.schedule(&QueueName::default_queue(), key)),
            ..asks(Self::stream_purge(&stream), "removing what is done with")
        };
        vec![
            got(self.states_stream()),
            got(self.jobs_stream()),
            got(self.schedules_stream()),
            got(self.modules_stream()),
            got(self.components_stream()),
            got(self.blobs_stream()),
            directly(self.states_stream()),
            directly(self.modules_stream()),
            directly(self.components_stream()),
            directly(self.blobs_stream()),
            listens(self.modules_filter(), "hearing of new modules"),
            purged(self.schedules_stream()),
            asks(Self::stream_delete_message(&self.schedules_stream()), "removing what fired"),
            asks(Self::stream_delete_message(&self.jobs_stream()), "removing what no queue takes"),
            purged(self.blobs_stream()),
        ]
    }

    fn rights_to_serve(&self) -> Vec<Right> {
        let mut rights = vec![
            listens(self.submit_filter(), "the service `submit`"),
            listens(self.status_filter(), "the service `status`"),
            listens(self.revoke_filter(), "the service `revoke`"),
            listens(self.revoke_broadcast_filter(), "hearing of revoked jobs"),
        ];
        for verb in ["PING", "INFO", "STATS"] {
            let all = format!("$SRV.{verb}");
            let (service, one) =
                (format!("{all}.{}", self.service_name()), format!("{all}.{}.rights", self.service_name()));
            rights.extend(
                [all, service, one]
                    .map(|tried| Right { tried, ..listens("$SRV.>".to_owned(), "being found as a service") }),
            );
        }
        rights
    }
}

fn listens(subject: String, purpose: &'static str) -> Right {
    Right { way: Way::Subscribe, ..tells(subject.clone(), subject, purpose) }
}

fn asks(subject: String, purpose: &'static str) -> Right {
    tells(subject.clone(), subject, purpose)
}

fn tells(subject: String, tried: String, purpose: &'static str) -> Right {
    Right { way: Way::Publish, subject, tried, harmless: NO_REQUEST.to_owned(), purpose }
}
