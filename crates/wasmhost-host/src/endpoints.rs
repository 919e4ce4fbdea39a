//! The client, offered over NATS: the services `submit`, `status` and `revoke`, so that `nats req` is a complete client.

use std::sync::Arc;

use async_nats::service::endpoint::Endpoint;
use async_nats::service::{Request, Service, ServiceExt};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use tokio::sync::Semaphore;
use wasmhost_client::{
    Client, PUBLISH_WITHIN, RevokeError, RevokeOptions, StatusError, Submission, SubmitError,
};
use wasmhost_nats::header_pairs;
use wasmhost_protocol::service::{RevokeRequest, ServiceError, ServiceErrorKind, SubmitReply};
use wasmhost_protocol::{JobOptions, Place, QueueName};

use crate::host::Host;

/// Requests answered at a time by one host, all endpoints together.
const REQUESTS: usize = 256;

#[derive(Clone, Copy)]
enum What {
    Submit,
    Status,
    Revoke,
}

/// Serves the endpoints until the host closes.
pub(crate) async fn serve(host: &Host) -> Result<(), String> {
    let failed = |error: async_nats::Error| format!("could not offer the services: {error}");
    let names = &host.connection.names;
    let builder = host.connection.client.service_builder().description("wasmhost: submit, status, revoke");
    let service = builder.start(names.service_name(), env!("CARGO_PKG_VERSION")).await.map_err(failed)?;
    let submit = endpoint(&service, "submit", names.submit_filter()).await?;
    let status = endpoint(&service, "status", names.status_filter()).await?;
    let revoke = endpoint(&service, "revoke", names.revoke_filter()).await?;
    let answering =
        Answering { host: host.clone(), client: client_of(host), free: Arc::new(Semaphore::new(REQUESTS)) };
    futures::future::join3(
        answering.answer_all(submit, What::Submit),
        answering.answer_all(status, What::Status),
        answering.answer_all(revoke, What::Revoke),
    )
    .await;
    service.stop().await.map_err(failed)
}

/// A client that gives up publishing long before this host's reconciler misses the message.
fn client_of(host: &Host) -> Client {
    let publish_within = (host.config.reconcile_after / 2).min(PUBLISH_WITHIN);
    Client::publishing_within(host.connection.clone(), publish_within)
}

async fn endpoint(service: &Service, name: &str, subject: String) -> Result<Endpoint, String> {
    let added = service.endpoint_builder().name(name).add(subject).await;
    added.map_err(|error| format!("could not offer the service `{name}`: {error}"))
}

struct Answering {
    host: Host,
    client: Client,
    free: Arc<Semaphore>,
}

impl Answering {
    async fn answer_all(&self, mut endpoint: Endpoint, what: What) {
        loop {
            let request = tokio::select! {
                request = endpoint.next() => request,
                () = self.host.closing.cancelled() => return,
            };
            let Some(request) = request else { return };
            let permit = self.free.clone().acquire_owned().await.expect("the semaphore is never closed");
            let (host, client) = (self.host.clone(), self.client.clone());
            self.host.tracker.spawn(async move {
                answer(&host, &client, &request, what).await;
                drop(permit);
            });
        }
    }
}

/// Answers one request. A reply anywhere but to an inbox would be written with the host's own rights.
async fn answer(host: &Host, client: &Client, request: &Request, what: What) {
    let reply = request.message.reply.as_ref();
    if !reply.is_some_and(|reply| host.connection.names.is_inbox(reply)) {
        return tracing::warn!(subject = %request.message.subject, "a request whose reply is no inbox");
    }
    let answered = match what {
        What::Submit => submit(host, client, request).await,
        What::Status => status(host, client, request).await,
        What::Revoke => revoke(host, client, request).await,
    };
    let sent = match answered {
        Ok(body) => request.respond(Ok(body)).await,
        Err(error) => respond_error(host, request, &error).await,
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "could not answer a request");
    }
}

/// The service error headers and a body that says the same to programs.
async fn respond_error(
    host: &Host,
    request: &Request,
    error: &ServiceError,
) -> Result<(), async_nats::PublishError> {
    let mut headers = async_nats::HeaderMap::new();
    headers
        .insert(wasmhost_protocol::header::SERVICE_ERROR, wasmhost_protocol::escape(&error.message).as_str());
    headers.insert(wasmhost_protocol::header::SERVICE_ERROR_CODE, error.kind.code().to_string().as_str());
    let Some(reply) = request.message.reply.clone() else { return Ok(()) };
    let body = serde_json::to_vec(error).unwrap_or_default();
    host.connection.client.publish_with_headers(reply, headers, body.into()).await
}

async fn submit(host: &Host, client: &Client, request: &Request) -> Result<Bytes, ServiceError> {
    let subject = host.connection.names.parse_submit_subject(&request.message.subject);
    let (task, id) = subject.map_err(|error| bad(&error))?;
    let pairs = request.message.headers.iter().flat_map(header_pairs);
    let mut options = JobOptions::parse(pairs, Place::Submit).map_err(|error| bad(&error))?;
    let mut submission = Submission::of(task);
    submission.id = id;
    submission.queue = options.queue.take().unwrap_or_else(QueueName::default_queue);
    submission.options = options;
    submission.arguments = request.message.payload.clone();
    let accepted = client.submit(submission).await.map_err(|error| submit_error(&error))?;
    json(&SubmitReply { key: accepted.job.key().clone(), state: accepted.state, revision: accepted.revision })
}

async fn status(host: &Host, client: &Client, request: &Request) -> Result<Bytes, ServiceError> {
    let key =
        host.connection.names.parse_status_subject(&request.message.subject).map_err(|error| bad(&error))?;
    json(&client.job(&key).record().await.map_err(|error| status_error(&error))?)
}

async fn revoke(host: &Host, client: &Client, request: &Request) -> Result<Bytes, ServiceError> {
    let key =
        host.connection.names.parse_revoke_subject(&request.message.subject).map_err(|error| bad(&error))?;
    let wish = RevokeRequest::parse(&request.message.payload)?;
    let mut options = RevokeOptions { if_queued: wish.if_queued, ..RevokeOptions::default() };
    options.reason = wish.reason.unwrap_or_default();
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
    ServiceError { kind, message: error.to_string() }
}

fn submit_error(error: &SubmitError) -> ServiceError {
    let kind = match error {
        SubmitError::Conflict { .. } => ServiceErrorKind::Conflict,
        SubmitError::NotPublished { .. } => ServiceErrorKind::NotPublished,
        SubmitError::QueueFull { .. } => ServiceErrorKind::QueueFull,
        SubmitError::Refused(_)
        | SubmitError::Option(_)
        | SubmitError::NotJson { .. }
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
