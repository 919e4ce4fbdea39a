//! What the endpoints do: each reads its request, calls the client, and returns the body of the answer.

use bytes::Bytes;
use nats_wire::Message;
use serde::Serialize;
use wasmhost_client::{Client, RevokeOptions, Submission};
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::service::{RevokeRequest, ServiceError, ServiceErrorKind, SubmitReply};

use super::errors::{bad_request, revoke_error, service_error, status_error, submit_error};

/// What an endpoint does.
#[derive(Clone, Copy)]
pub(super) enum Operation {
    /// Submits a job.
    Submit,
    /// Returns the record of a job.
    Status,
    /// Revokes a job, and returns its record as it was written.
    Revoke,
}

impl Operation {
    /// Returns the name of the endpoint.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Status => "status",
            Self::Revoke => "revoke",
        }
    }

    /// Does what a request asks for. Returns the body of the answer.
    pub(super) async fn perform(
        self,
        names: &Names,
        client: &Client,
        request: &Message,
    ) -> Result<Bytes, ServiceError> {
        match self {
            Self::Submit => submit(names, client, request).await,
            Self::Status => status(names, client, request).await,
            Self::Revoke => revoke(names, client, request).await,
        }
    }
}

async fn submit(names: &Names, client: &Client, request: &Message) -> Result<Bytes, ServiceError> {
    let (task, id) = names.parse_submit_subject(&request.subject).map_err(|error| bad_request(&error))?;
    let headers =
        request.headers().map_err(|why| bad_request(&format_args!("the headers are unreadable: {why}")))?;
    let mut options =
        JobOptions::parse(headers.iter(), HeaderScope::Submit).map_err(|error| bad_request(&error))?;
    if request.payload.trim_ascii().is_empty() {
        return Err(bad_request(&"the arguments are not JSON: there are none; `{}` gives none"));
    }
    let mut submission = Submission::for_task(task);
    submission.id = id;
    submission.queue = options.queue.take().unwrap_or_else(QueueName::default_queue);
    submission.options = options;
    submission.arguments = request.payload.clone();
    // Whoever asked may name an inbox, and the host itself waits for nothing.
    submission.tell_end = false;
    let accepted = client.submit(submission).await.map_err(|error| submit_error(&error))?;
    json(&SubmitReply { key: accepted.job.key().clone(), state: accepted.state, revision: accepted.revision })
}

async fn status(names: &Names, client: &Client, request: &Message) -> Result<Bytes, ServiceError> {
    let key = names.parse_status_subject(&request.subject).map_err(|error| bad_request(&error))?;
    json(&client.job(&key).record().await.map_err(|error| status_error(&error))?)
}

async fn revoke(names: &Names, client: &Client, request: &Message) -> Result<Bytes, ServiceError> {
    let key = names.parse_revoke_subject(&request.subject).map_err(|error| bad_request(&error))?;
    let asked = RevokeRequest::parse(&request.payload)?;
    let mut options = RevokeOptions::new(asked.reason.unwrap_or_default());
    options.if_queued = asked.if_queued;
    options.grace = asked.grace.unwrap_or_default();
    json(&client.job(&key).request_revoke(options).await.map_err(|error| revoke_error(&error))?)
}

fn json<T: Serialize>(body: &T) -> Result<Bytes, ServiceError> {
    let written = serde_json::to_vec(body);
    written.map(Bytes::from).map_err(|error| service_error(ServiceErrorKind::Unavailable, &error))
}
