//! The rights that a host's user needs on the server: the subjects that the host publishes and subscribes to,
//! each with a way to try the right that changes nothing.

use super::ack;
use super::deployment::{Names, kv_subject};
use crate::ids::{Inbox, JobKey, QueueName};

/// A body that is not a request: JetStream and the services refuse it and change nothing.
const NO_REQUEST: &str = "no request";

/// An `Access` is what a right allows to do with a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// The right allows to publish to the subject.
    Publish,
    /// The right allows to subscribe to the subject.
    Subscribe,
}

/// A `Right` is one that a host needs while it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Right {
    /// What the right allows to do.
    pub access: Access,
    /// The subject as the server's configuration grants it, possibly with wildcards.
    pub subject: String,
    /// One subject that `subject` covers, on which the right is tried.
    pub tried: String,
    /// A body that can be published to `tried` without a reply subject and changes nothing.
    pub harmless: String,
    /// What the host does with the right, as a phrase for people.
    pub purpose: &'static str,
}

/// The rights of a host.
impl Names {
    /// Returns every right that a host of the given queues needs while it serves. `key` is the key of a job
    /// that does not exist; the rights are tried with its subjects.
    #[must_use]
    pub fn rights_of_host(&self, queues: &[QueueName], key: &JobKey) -> Vec<Right> {
        let mut rights = vec![subscribe(format!("{}.>", Inbox::PREFIX), "answers to its own requests")];
        rights.push(publish(
            format!("{}.>", Inbox::PREFIX),
            format!("{}.{key}", Inbox::PREFIX),
            "answers of its services, and the ends of jobs for whoever waits",
        ));
        rights.push(request(Self::account_info(), "asking whether JetStream is on"));
        rights.extend(self.rights_to_read_settings());
        rights.extend(queues.iter().flat_map(|queue| self.rights_to_pull(queue)));
        rights.extend(self.rights_to_write(key));
        rights.extend(self.rights_to_read(key));
        rights.extend(self.rights_to_serve());
        rights
    }

    fn rights_to_read_settings(&self) -> impl Iterator<Item = Right> {
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
        streams.into_iter().map(|stream| request(Self::stream_info(&stream), "comparing a stream's settings"))
    }

    fn rights_to_pull(&self, queue: &QueueName) -> [Right; 5] {
        let stream = self.jobs_stream();
        let consumer = self.consumer(queue);
        let acks = format!("$JS.ACK.{stream}.{consumer}");
        [
            request(format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"), "comparing a queue's consumer"),
            request(self.next_message(queue), "asking for jobs"),
            Right {
                tried: format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.{}", self.jobs_of_queue(queue)),
                ..request(
                    format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>"),
                    "making a queue's consumer, where somebody removed it",
                )
            },
            request(
                format!("$JS.API.CONSUMER.DELETE.{stream}.{consumer}"),
                "recreating a queue's consumer, where somebody changed it",
            ),
            // A sign of life for a delivery that never was. Unlike an ack it removes nothing, should the
            // server obey it. The tokens are the count, the sequences, the time and the number of pending
            // messages.
            Right {
                harmless: ack::IN_PROGRESS.to_owned(),
                ..publish(format!("{acks}.>"), format!("{acks}.1.0.0.0.0"), "settling jobs")
            },
        ]
    }

    fn rights_to_write(&self, key: &JobKey) -> [Right; 9] {
        let queue = QueueName::default_queue();
        let blob = |part: &str| format!("$O.{}.{part}", self.blobs_store());
        [
            publish(self.states_filter(), self.state_subject(key), "recording jobs"),
            publish(
                kv_subject(&self.hosts_bucket(), '>'),
                kv_subject(&self.hosts_bucket(), "rights"),
                "its heartbeat",
            ),
            publish(blob("C.>"), blob("C.rights"), "storing large results and checkpoints"),
            publish(blob("M.>"), blob("M.rights"), "describing large results and checkpoints"),
            publish(self.dead_filter(), self.dead_subject(key), "keeping dead letters"),
            publish(self.logs_filter(), self.logs_subject(key), "keeping what tasks log"),
            publish(
                self.jobs_filter(),
                self.job_subject(&queue, key),
                "publishing jobs that are submitted to it",
            ),
            publish(
                format!("{}.schedules.>", self.lower),
                self.schedule(&queue, key),
                "scheduling jobs that are submitted to it",
            ),
            publish(
                self.revoke_broadcast_filter(),
                self.revoke_broadcast(key),
                "waking who runs a revoked job",
            ),
        ]
    }

    fn rights_to_read(&self, key: &JobKey) -> Vec<Right> {
        let got =
            |stream: String| request(Self::stream_message(&stream), "reading jobs, records and modules");
        let directly = |stream: String| {
            request(Self::direct_messages(&stream), "reading what a bucket or a store holds")
        };
        // Without a filter a purge would empty the stream. There is nothing on this subject, should the
        // server obey.
        let purged = |stream: String| Right {
            harmless: format!("{{\"filter\":\"{}\"}}", self.schedule(&QueueName::default_queue(), key)),
            ..request(Self::stream_purge(&stream), "removing what is done with")
        };
        vec![
            got(self.states_stream()),
            got(self.jobs_stream()),
            got(self.schedules_stream()),
            got(self.modules_stream()),
            got(self.components_stream()),
            got(self.blobs_stream()),
            got(self.hosts_stream()),
            directly(self.states_stream()),
            directly(self.modules_stream()),
            directly(self.components_stream()),
            directly(self.blobs_stream()),
            subscribe(self.modules_filter(), "hearing of new modules"),
            purged(self.schedules_stream()),
            request(Self::stream_delete_message(&self.schedules_stream()), "removing what fired"),
            request(Self::stream_delete_message(&self.jobs_stream()), "removing what no queue takes"),
            purged(self.blobs_stream()),
        ]
    }

    fn rights_to_serve(&self) -> Vec<Right> {
        let mut rights = vec![
            subscribe(self.submit_filter(), "the service `submit`"),
            subscribe(self.status_filter(), "the service `status`"),
            subscribe(self.revoke_filter(), "the service `revoke`"),
            subscribe(self.revoke_broadcast_filter(), "hearing of revoked jobs"),
        ];
        for verb in ["PING", "INFO", "STATS"] {
            let all = format!("$SRV.{verb}");
            let service = format!("{all}.{}", self.service_name());
            let one = format!("{all}.{}.rights", self.service_name());
            rights.extend(
                [all, service, one].map(|tried| Right {
                    tried,
                    ..subscribe("$SRV.>".to_owned(), "being found as a service")
                }),
            );
        }
        rights
    }
}

fn subscribe(subject: String, purpose: &'static str) -> Right {
    Right { access: Access::Subscribe, ..publish(subject.clone(), subject, purpose) }
}

/// Returns the right to publish to a subject, which is tried on that subject itself.
fn request(subject: String, purpose: &'static str) -> Right {
    publish(subject.clone(), subject, purpose)
}

fn publish(subject: String, tried: String, purpose: &'static str) -> Right {
    Right { access: Access::Publish, subject, tried, harmless: NO_REQUEST.to_owned(), purpose }
}
