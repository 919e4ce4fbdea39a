//! What stands in for a host: it pulls, writes STARTED and SUCCESS by compare-and-set, and acknowledges.

use std::rc::Rc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nats_wire::{HeaderBlock, Message, Wire};
use serde::Deserialize;
use serde_json::json;
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::{Names, header};

use crate::error::{BenchError, Doing};
use crate::template::{Template, expecting};

/// As many jobs as a host of two cores has under way.
const SLOTS: usize = 128;

#[derive(Deserialize)]
struct Ack {
    seq: u64,
}

/// Publishes a message, and returns its sequence.
pub(super) async fn publish(
    wire: &Wire,
    subject: &str,
    headers: &HeaderBlock,
    body: &[u8],
) -> Result<u64, BenchError> {
    let answer = wire.send_request(subject, Some(headers), body).await.doing("publish")?.await;
    let answer = answer.ok_or_else(|| BenchError::Job("the connection broke".to_owned()))?;
    let ack = serde_json::from_slice::<Ack>(&answer.payload);
    Ok(ack.map_err(|_| BenchError::Job(String::from_utf8_lossy(&answer.payload).into_owned()))?.seq)
}

/// Works on the queue until so many jobs are acknowledged, and tells of each.
pub(super) async fn work(
    wire: &Wire,
    names: &Names,
    template: Rc<Template>,
    jobs: u64,
    mut done: impl FnMut(u64) -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    let inbox = wire.new_inbox();
    let mut deliveries = wire.subscribe(inbox.clone(), None, 4 * SLOTS).await;
    let pull = names.next_message(&QueueName::default_queue());
    let mut running = FuturesUnordered::new();
    let mut requested = 0;
    let mut ended = 0;
    while ended < jobs {
        let free = SLOTS.saturating_sub(running.len() + requested);
        // Few large requests cost the server less than many small ones.
        if free >= SLOTS / 4 || (requested == 0 && free > 0) {
            let body = json!({ "batch": free, "expires": 5_000_000_000_u64 }).to_string();
            wire.publish(&pull, Some(&inbox), None, body.as_bytes()).await.doing("ask for jobs")?;
            requested += free;
        }
        tokio::select! {
            biased;
            Some(message) = deliveries.next() => match message.reply {
                Some(_) => {
                    requested = requested.saturating_sub(1);
                    running.push(run(wire, names, &template, message));
                }
                // The request has ended with less than it asked for.
                None => requested = 0,
            },
            Some(result) = running.next() => {
                result?;
                ended += 1;
                done(ended)?;
            }
        }
    }
    wire.flush().await.doing("wait for the acknowledgements")
}

async fn run(wire: &Wire, names: &Names, template: &Template, message: Message) -> Result<(), BenchError> {
    let job = names.parse_job_subject(&message.subject).doing("read a subject")?;
    let headers = message.headers().doing("read the headers of a job")?;
    let key = job.id.map(|id| JobKey::new(job.task, id));
    let key = key.ok_or_else(|| BenchError::Job("it has no id".to_owned()))?;
    let pending: u64 = headers
        .get(header::REVISION)
        .and_then(|revision| revision.parse().ok())
        .ok_or_else(|| BenchError::Job("it has no revision".to_owned()))?;
    let subject = names.state_subject(&key);
    let started = publish(wire, &subject, &expecting(pending, None), &template.started).await?;
    publish(wire, &subject, &expecting(started, Some(&template.ttl)), &template.succeeded).await?;
    if let Some(inbox) = headers.get(header::NOTIFY) {
        wire.publish(inbox, None, None, &template.succeeded).await.doing("tell the end of a job")?;
    }
    let ack = message.reply.unwrap_or_default();
    wire.publish(&ack, None, None, b"+ACK").await.doing("acknowledge a job")
}
