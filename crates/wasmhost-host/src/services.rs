//! The client, offered over NATS: the services `submit`, `status` and `revoke`, so that `nats req` is a complete client.
//! Requests come from strangers, over the second connection; each endpoint has room and hands of its own, so that none of
//! them waits for another.

mod discovery;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use nats_wire::{Headers, Message, SendError, Subscription, Wire};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmhost_client::{
    Client, PUBLISH_WITHIN, RevokeError, RevokeOptions, StatusError, Submission, SubmitError,
};
use wasmhost_nats::limited;
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::names::{Names, header};
use wasmhost_protocol::service::{RevokeRequest, ServiceError, ServiceErrorKind, SubmitReply};
use wasmhost_protocol::text::escape;

use crate::host::Host;
use discovery::{Counts, Discovery};
use request::inbox_of;

/// Requests that one endpoint of one host answers at a time.
const AT_A_TIME: usize = 256;
/// Requests to one endpoint that wait; of more, the newest are dropped, and whoever asked hears nothing.
const WAITING: usize = 256;

#[derive(Clone, Copy)]
enum What {
    Submit,
    Status,
    Revoke,
}

/// An endpoint that answers.
struct Endpoint {
    what: What,
    requests: Subscription,
    free: Arc<Semaphore>,
    counts: Arc<Counts>,
}

/// Serves the endpoints until the host closes.
pub(crate) async fn serve(host: &Arc<Host>) -> Result<(), String> {
    let wire = host
        .storage
        .connection
        .edge()
        .await
        .map_err(|error| format!("could not offer the services: {error}"))?;
    let names = &host.storage.connection.names;
    let (submit, status, revoke) = (names.submit_filter(), names.status_filter(), names.revoke_filter());
    let mut discovery = Discovery::new(host);
    let mut endpoint = async |name: &'static str, subject: String, what: What| {
        let requests = wire.subscribe(subject.clone(), Some(Names::QUEUE_GROUP), WAITING).await;
        let counts = discovery.add(name, subject);
        Endpoint { what, requests, free: Arc::new(Semaphore::new(AT_A_TIME)), counts }
    };
    let endpoints = [
        endpoint("submit", submit, What::Submit).await,
        endpoint("status", status, What::Status).await,
        endpoint("revoke", revoke, What::Revoke).await,
    ];
    let answering = Answering { host: host.clone(), wire: wire.clone(), client: client_of(host) };
    let serving = endpoints.into_iter().map(|endpoint| answering.answer_all(endpoint));
    tokio::join!(futures::future::join_all(serving), discovery.serve(host, wire));
    Ok(())
}

/// A client that gives up publishing long before this host's reconciler misses the message.
fn client_of(host: &Host) -> Client {
    let publish_within = (host.config.reconcile_after / 2).min(PUBLISH_WITHIN);
    Client::publishing_within(host.storage.connection.clone(), publish_within)
}

#[derive(Clone)]
struct Answering {
    host: Arc<Host>,
    wire: Wire,
    client: Client,
}

/// What is sent back.
struct Reply {
    headers: Option<Headers>,
    body: Bytes,
}

impl Answering {
    async fn answer_all(&self, mut endpoint: Endpoint) {
        let mut closing = false;
        loop {
            let request = tokio::select! {
                request = endpoint.requests.next() => request,
                // What the server has sent here by then is answered: nobody else has it.
                () = self.host.life.closing.cancelled(), if !closing => {
                    closing = true;
                    endpoint.requests.drain().await;
                    continue;
                }
            };
            let Some(request) = request else { return };
            let permit = endpoint.free.clone().acquire_owned().await.expect("the semaphore is never closed");
            let (answering, counts, what) = (self.clone(), endpoint.counts.clone(), endpoint.what);
            self.host.life.tracker.spawn(async move {
                answering.answer(&request, what, &counts).await;
                drop(permit);
            });
        }
    }

    /// Answers one request. A reply anywhere but to an inbox would be written with the host's own rights.
    async fn answer(&self, request: &Message, what: What, counts: &Counts) {
        let Some(reply) = inbox_of(&self.host, request) else { return };
        let began = Instant::now();
        let answered = match what {
            What::Submit => submit(&self.host, &self.client, request).await,
            What::Status => status(&self.host, &self.client, request).await,
            What::Revoke => revoke(&self.host, &self.client, request).await,
        };
        counts.answered(began.elapsed(), answered.as_ref().err());
        let sent = match answered {
            Ok(body) => self.send(reply, &Reply { headers: None, body }).await,
            Err(error) => self.send(reply, &error_reply(&error)).await,
        };
        if let Err(error) = sent {
            limited!(debug, %error, "could not answer a request");
        }
    }

    async fn send(&self, reply: &str, what: &Reply) -> Result<(), SendError> {
        self.wire.publish(reply, None, what.headers.as_ref(), &what.body).await
    }
}

/// The service error headers and a body that says the same to programs.
fn error_reply(error: &ServiceError) -> Reply {
    let (text, code) = (escape(&error.message), error.kind.code().to_string());
    let headers = Headers::of([(header::SERVICE_ERROR, text.as_str()), (header::SERVICE_ERROR_CODE, &code)]);
    let body = serde_json::to_vec(error).unwrap_or_default().into();
    Reply { headers: headers.ok(), body }
}

async fn submit(host: &Host, client: &Client, request: &Message) -> Result<Bytes, ServiceError> {
    let subject = host.storage.connection.names.parse_submit_subject(&request.subject);
    let (task, id) = subject.map_err(|error| bad(&error))?;
    let headers = request.headers().map_err(|why| bad(&format_args!("the headers are unreadable: {why}")))?;
    let mut options = JobOptions::parse(headers.iter(), HeaderScope::Submit).map_err(|error| bad(&error))?;
    if request.payload.trim_ascii().is_empty() {
        return Err(bad(&"the arguments are not JSON: there are none; `{}` gives none"));
    }
    let mut submission = Submission::of(task);
    submission.id = id;
    submission.queue = options.queue.take().unwrap_or_else(QueueName::default_queue);
    submission.options = options;
    submission.arguments = request.payload.clone();
    let accepted = client.submit(submission).await.map_err(|error| submit_error(&error))?;
    json(&SubmitReply { key: accepted.job.key().clone(), state: accepted.state, revision: accepted.revision })
}

async fn status(host: &Host, client: &Client, request: &Message) -> Result<Bytes, ServiceError> {
    let key =
        host.storage.connection.names.parse_status_subject(&request.subject).map_err(|error| bad(&error))?;
    json(&client.job(&key).record().await.map_err(|error| status_error(&error))?)
}

async fn revoke(host: &Host, client: &Client, request: &Message) -> Result<Bytes, ServiceError> {
    let key =
        host.storage.connection.names.parse_revoke_subject(&request.subject).map_err(|error| bad(&error))?;
    let wish = RevokeRequest::parse(&request.payload)?;
    let mut options = RevokeOptions::new(wish.reason.unwrap_or_default());
    options.if_queued = wish.if_queued;
    options.grace = wish.grace.unwrap_or_default();
    json(&client.job(&key).request_revoke(options).await.map_err(|error| revoke_error(&error))?)
}

fn json<T: Serialize>(body: &T) -> Result<Bytes, ServiceError> {
    let written = serde_json::to_vec(body);
    written.map(Bytes::from).map_err(|error| service_error(ServiceErrorKind::Unavailable, &error))
}

fn bad(error: &dyn std::fmt::Display) -> ServiceError {
    service_error(ServiceErrorKind::BadRequest, error)
}

fn service_error(kind: ServiceErrorKind, error: &dyn std::fmt::Display) -> ServiceError {
    // What a stranger sent may be in it, and is printed as it is by whoever asked.
    ServiceError { kind, message: escape(&error.to_string()) }
}

fn submit_error(error: &SubmitError) -> ServiceError {
    let kind = match error {
        SubmitError::Conflict { .. } => ServiceErrorKind::Conflict,
        SubmitError::NotPublished { .. } => ServiceErrorKind::NotPublished,
        SubmitError::QueueFull { .. } => ServiceErrorKind::QueueFull,
        SubmitError::Refused(_)
        | SubmitError::Option(_)
        | SubmitError::NotJson { .. }
        | SubmitError::UnknownModule { .. }
        | SubmitError::UnknownTask { .. }
        | SubmitError::BadArguments { .. }
        | SubmitError::TooFar { .. }
        | SubmitError::TooLarge { .. }
        | SubmitError::OverServerLimit { .. } => ServiceErrorKind::BadRequest,
        _ => ServiceErrorKind::Unavailable,
    };
    service_error(kind, error)
}

fn status_error(error: &StatusError) -> ServiceError {
    let kind = match error {
        StatusError::NotFound { .. } => ServiceErrorKind::NotFound,
        _ => ServiceErrorKind::Unavailable,
    };
    service_error(kind, error)
}

fn revoke_error(error: &RevokeError) -> ServiceError {
    let kind = match error {
        RevokeError::Grace(_) => ServiceErrorKind::BadRequest,
        RevokeError::NotFound { .. } => ServiceErrorKind::NotFound,
        RevokeError::AlreadyRunning { .. } => ServiceErrorKind::AlreadyRunning,
        _ => ServiceErrorKind::Unavailable,
    };
    service_error(kind, error)
}
