//! What NATS's service API asks of every service: which instances there are (`PING`), what they offer (`INFO`), and how their
//! endpoints have fared (`STATS`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{SelectAll, StreamExt, unfold};
use nats_wire::{Message, Wire};
use serde_json::{Value, json};
use wasmhost_nats::limited;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::service::ServiceError;

use super::request::reply_inbox;
use crate::host::Host;

/// The most requests that wait on one subject. Of more, the newest are dropped.
const MAX_PENDING_REQUESTS: usize = 64;

/// How an endpoint has fared since the host started.
#[derive(Debug, Default)]
pub(super) struct EndpointStats {
    requests: AtomicU64,
    errors: AtomicU64,
    nanos: AtomicU64,
    last_error: Mutex<String>,
}

impl EndpointStats {
    /// Counts a request that was answered.
    pub(super) fn record(&self, took: Duration, error: Option<&ServiceError>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(error) = error {
            self.errors.fetch_add(1, Ordering::Relaxed);
            let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
            *last = format!("{}:{}", error.kind.code(), error.message);
        }
    }
}

/// The requests of the service API.
#[derive(Clone, Copy)]
enum Verb {
    Ping,
    Info,
    Stats,
}

/// The answers of one host to the service API.
pub(super) struct Discovery {
    name: String,
    id: String,
    started: String,
    endpoints: Vec<OfferedEndpoint>,
}

/// An endpoint that the host offers.
struct OfferedEndpoint {
    name: &'static str,
    subject: String,
    stats: Arc<EndpointStats>,
}

impl Discovery {
    /// Creates the answers of a host that offers no endpoint yet.
    pub(super) fn new(host: &Host) -> Self {
        Self {
            name: host.storage.connection.names.service_name(),
            id: host.id.to_string(),
            started: host.started_at.to_string(),
            endpoints: Vec::new(),
        }
    }

    /// Adds an endpoint, and returns where its requests are counted.
    pub(super) fn add(&mut self, name: &'static str, subject: String) -> Arc<EndpointStats> {
        let stats = Arc::new(EndpointStats::default());
        self.endpoints.push(OfferedEndpoint { name, subject, stats: stats.clone() });
        stats
    }

    /// Answers requests until the host drains.
    pub(super) async fn serve(&self, host: &Host, wire: &Wire) {
        let mut requests = SelectAll::new();
        for (verb, word) in [(Verb::Ping, "PING"), (Verb::Info, "INFO"), (Verb::Stats, "STATS")] {
            for subject in host.storage.connection.names.discovery_subjects(word, &self.id) {
                let subscription = wire.subscribe(subject, None, MAX_PENDING_REQUESTS).await;
                requests.push(Box::pin(unfold((verb, subscription), async |(verb, mut subscription)| {
                    let request: Message = subscription.next().await?;
                    Some(((verb, request), (verb, subscription)))
                })));
            }
        }
        loop {
            let request = tokio::select! {
                request = requests.next() => request,
                () = host.life.draining.cancelled() => return,
            };
            let Some((verb, request)) = request else { return };
            self.answer(wire, verb, &request).await;
        }
    }

    async fn answer(&self, wire: &Wire, verb: Verb, request: &Message) {
        let Some(inbox) = reply_inbox(request) else { return };
        let body = self.response(verb).to_string();
        if let Err(error) = wire.publish(inbox, None, None, body.as_bytes()).await {
            limited!(debug, %error, "could not answer a request of the service API");
        }
    }

    fn response(&self, verb: Verb) -> Value {
        let mut response = json!({
            "name": self.name,
            "id": self.id,
            "version": env!("CARGO_PKG_VERSION"),
            "metadata": {},
        });
        match verb {
            Verb::Ping => response["type"] = json!("io.nats.micro.v1.ping_response"),
            Verb::Info => {
                response["type"] = json!("io.nats.micro.v1.info_response");
                response["description"] = json!("wasmhost: submit, status, revoke");
                response["endpoints"] = self.endpoints.iter().map(OfferedEndpoint::info).collect();
            }
            Verb::Stats => {
                response["type"] = json!("io.nats.micro.v1.stats_response");
                response["started"] = json!(self.started);
                response["endpoints"] = self.endpoints.iter().map(OfferedEndpoint::stats).collect();
            }
        }
        response
    }
}

impl OfferedEndpoint {
    fn info(&self) -> Value {
        json!({ "name": self.name, "subject": self.subject, "queue_group": Names::QUEUE_GROUP, "metadata": {} })
    }

    fn stats(&self) -> Value {
        let requests = self.stats.requests.load(Ordering::Relaxed);
        let nanos = self.stats.nanos.load(Ordering::Relaxed);
        let last_error = self.stats.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        json!({
            "name": self.name,
            "subject": self.subject,
            "queue_group": Names::QUEUE_GROUP,
            "num_requests": requests,
            "num_errors": self.stats.errors.load(Ordering::Relaxed),
            "last_error": last_error,
            "processing_time": nanos,
            "average_processing_time": nanos / requests.max(1),
        })
    }
}
