//! What NATS's service API asks of every service: who is there (`PING`), what it offers (`INFO`), and how it has fared
//! (`STATS`). Answered to inboxes only, as all else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{SelectAll, StreamExt, unfold};
use nats_wire::{Message, Wire};
use serde_json::{Value, json};
use wasmhost_nats::limited;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::service::ServiceError;

use super::request::inbox_of;
use crate::host::Host;

/// Questions that wait; of more, the newest are dropped.
const WAITING: usize = 64;

/// How an endpoint has fared.
#[derive(Debug, Default)]
pub(super) struct Counts {
    requests: AtomicU64,
    errors: AtomicU64,
    nanos: AtomicU64,
    last_error: Mutex<String>,
}

impl Counts {
    pub(super) fn answered(&self, took: Duration, error: Option<&ServiceError>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(error) = error {
            self.errors.fetch_add(1, Ordering::Relaxed);
            let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
            *last = format!("{}:{}", error.kind.code(), error.message);
        }
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Ping,
    Info,
    Stats,
}

/// What is offered, and how it has fared.
pub(super) struct Discovery {
    name: String,
    id: String,
    started: String,
    endpoints: Vec<(&'static str, String, Arc<Counts>)>,
}

impl Discovery {
    pub(super) fn new(host: &Host) -> Self {
        Self {
            name: host.storage.connection.names.service_name(),
            id: host.id.to_string(),
            started: host.started_at.to_string(),
            endpoints: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: &'static str, subject: String) -> Arc<Counts> {
        let counts = Arc::new(Counts::default());
        self.endpoints.push((name, subject, counts.clone()));
        counts
    }

    /// Answers until the host closes.
    pub(super) async fn serve(&self, host: &Host, wire: &Wire) {
        let mut questions = SelectAll::new();
        for (verb, word) in [(Verb::Ping, "PING"), (Verb::Info, "INFO"), (Verb::Stats, "STATS")] {
            for subject in host.storage.connection.names.discovery_subjects(word, &self.id) {
                let subscription = wire.subscribe(subject, None, WAITING).await;
                questions.push(Box::pin(unfold((verb, subscription), async |(verb, mut subscription)| {
                    let question: Message = subscription.next().await?;
                    Some(((verb, question), (verb, subscription)))
                })));
            }
        }
        loop {
            let question = tokio::select! {
                question = questions.next() => question,
                () = host.life.closing.cancelled() => return,
            };
            let Some((verb, question)) = question else { return };
            self.answer(host, wire, verb, &question).await;
        }
    }

    async fn answer(&self, host: &Host, wire: &Wire, verb: Verb, question: &Message) {
        let Some(reply) = inbox_of(host, question) else { return };
        if let Err(error) = wire.publish(reply, None, None, self.about(verb).to_string().as_bytes()).await {
            limited!(debug, %error, "could not say what is offered");
        }
    }

    fn about(&self, verb: Verb) -> Value {
        let mut about = json!({
            "name": self.name,
            "id": self.id,
            "version": env!("CARGO_PKG_VERSION"),
            "metadata": {},
        });
        match verb {
            Verb::Ping => about["type"] = json!("io.nats.micro.v1.ping_response"),
            Verb::Info => {
                about["type"] = json!("io.nats.micro.v1.info_response");
                about["description"] = json!("wasmhost: submit, status, revoke");
                about["endpoints"] =
                    self.endpoints.iter().map(|(name, subject, _)| offered(name, subject)).collect();
            }
            Verb::Stats => {
                about["type"] = json!("io.nats.micro.v1.stats_response");
                about["started"] = json!(self.started);
                about["endpoints"] = self
                    .endpoints
                    .iter()
                    .map(|(name, subject, counts)| fared(name, subject, counts))
                    .collect();
            }
        }
        about
    }
}

fn offered(name: &str, subject: &str) -> Value {
    json!({ "name": name, "subject": subject, "queue_group": Names::QUEUE_GROUP, "metadata": {} })
}

fn fared(name: &str, subject: &str, counts: &Counts) -> Value {
    let (requests, nanos) = (counts.requests.load(Ordering::Relaxed), counts.nanos.load(Ordering::Relaxed));
    let last_error = counts.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
    json!({
        "name": name,
        "subject": subject,
        "queue_group": Names::QUEUE_GROUP,
        "num_requests": requests,
        "num_errors": counts.errors.load(Ordering::Relaxed),
        "last_error": last_error,
        "processing_time": nanos,
        "average_processing_time": nanos / requests.max(1),
    })
}
