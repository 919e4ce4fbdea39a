//! The client, offered over NATS: the services `submit`, `status` and `revoke`, so that `nats req` is a complete client. Requests
//! come from strangers, over the edge connection. Each endpoint has queues and tasks of its own, so that none of them waits for
//! another.

mod discovery;
mod errors;
mod operation;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use nats_wire::{HeaderBlock, Message, Subscription, Wire};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmhost_client::{Client, PUBLISH_TIMEOUT};
use wasmhost_nats::limited;
use wasmhost_protocol::names::{Names, header};
use wasmhost_protocol::service::ServiceError;
use wasmhost_protocol::text::escape;

use crate::host::Host;
use discovery::{Discovery, EndpointStats};
use operation::Operation;
use request::reply_inbox;

/// The most requests that one endpoint of one host answers at a time.
const MAX_CONCURRENT_REQUESTS: usize = 256;
/// The most requests that wait at one endpoint. Of more, the newest are dropped without an answer.
const MAX_PENDING_REQUESTS: usize = 256;

/// An endpoint that the host serves.
struct Endpoint {
    operation: Operation,
    requests: Subscription,
    free: Arc<Semaphore>,
    stats: Arc<EndpointStats>,
}

/// Serves the endpoints until the host drains.
pub(crate) async fn serve(host: &Arc<Host>) -> Result<(), String> {
    let connection = &host.storage.connection;
    let wire = connection.edge().await.map_err(|error| format!("could not offer the services: {error}"))?;
    let names = &connection.names;
    let mut discovery = Discovery::new(host);
    let mut endpoint = async |operation: Operation, subject: String| {
        let requests = wire.subscribe(subject.clone(), Some(Names::QUEUE_GROUP), MAX_PENDING_REQUESTS).await;
        let stats = discovery.add(operation.name(), subject);
        Endpoint { operation, requests, free: Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS)), stats }
    };
    let endpoints = [
        endpoint(Operation::Submit, names.submit_filter()).await,
        endpoint(Operation::Status, names.status_filter()).await,
        endpoint(Operation::Revoke, names.revoke_filter()).await,
    ];
    let responder = Responder { host: host.clone(), wire: wire.clone(), client: client_of(host) };
    let serving = endpoints.into_iter().map(|endpoint| responder.serve(endpoint));
    tokio::join!(futures::future::join_all(serving), discovery.serve(host, wire));
    Ok(())
}

/// Creates a client that gives up publishing well within the grace of this host's reconciler: after that the reconciler would end
/// the job as one whose message is gone.
fn client_of(host: &Host) -> Client {
    let publish_timeout = (host.config.reconcile_after / 2).min(PUBLISH_TIMEOUT);
    Client::with_publish_timeout(host.storage.connection.clone(), publish_timeout)
}

/// Answers requests. It is cheap to clone.
#[derive(Clone)]
struct Responder {
    host: Arc<Host>,
    wire: Wire,
    client: Client,
}

/// What is sent back.
struct Reply {
    headers: Option<HeaderBlock>,
    body: Bytes,
}

impl Responder {
    /// Answers the requests to an endpoint until the host drains.
    async fn serve(&self, mut endpoint: Endpoint) {
        let mut is_draining = false;
        loop {
            let request = tokio::select! {
                request = endpoint.requests.next() => request,
                // Requests that the server has sent to this host by then are answered: no other host has them.
                () = self.host.life.draining.cancelled(), if !is_draining => {
                    is_draining = true;
                    endpoint.requests.drain().await;
                    continue;
                }
            };
            let Some(request) = request else { return };
            // While all permits are taken, requests wait in the subscription, which is bounded.
            let permit = endpoint.free.clone().acquire_owned().await.expect("the semaphore is never closed");
            let responder = self.clone();
            let stats = endpoint.stats.clone();
            let operation = endpoint.operation;
            self.host.life.tracker.spawn(async move {
                responder.answer(&request, operation, &stats).await;
                drop(permit);
            });
        }
    }

    async fn answer(&self, request: &Message, operation: Operation, stats: &EndpointStats) {
        let names = &self.host.storage.connection.names;
        let Some(inbox) = reply_inbox(request) else { return };
        let began = Instant::now();
        let answered = operation.perform(names, &self.client, request).await;
        stats.record(began.elapsed(), answered.as_ref().err());
        let reply = match answered {
            Ok(body) => Reply { headers: None, body },
            Err(error) => error_reply(&error),
        };
        if let Err(error) = self.wire.publish(inbox, None, reply.headers.as_ref(), &reply.body).await {
            limited!(debug, %error, "could not answer a request");
        }
    }
}

/// Returns the headers of a service error, and a body that says the same to programs.
fn error_reply(error: &ServiceError) -> Reply {
    let text = escape(&error.message);
    let code = error.kind.code().to_string();
    let headers =
        HeaderBlock::of([(header::SERVICE_ERROR, text.as_str()), (header::SERVICE_ERROR_CODE, &code)]);
    let body = serde_json::to_vec(error).unwrap_or_default().into();
    Reply { headers: headers.ok(), body }
}
