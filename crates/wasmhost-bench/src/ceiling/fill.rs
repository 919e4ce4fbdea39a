//! What stands in for a client that submits jobs which nobody waits for; and the ceiling of submitting them.

use std::time::Instant;

use futures::StreamExt;
use futures::stream;
use nats_wire::Wire;
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::names::Names;

use super::worker::publish;
use crate::deployment::Deployment;
use crate::error::{BenchError, Doing};
use crate::measured::Measured;
use crate::template::{Template, expecting, key};

/// How many jobs are submitted at a time by who does not wait for each.
pub(super) const FILLING_AT_ONCE: usize = 512;

/// Measures the submitting of so many jobs, so many at a time.
pub(super) async fn measure(
    deployment: &Deployment,
    template: &Template,
    jobs: u64,
    at_once: usize,
) -> Result<Measured, BenchError> {
    let names = &deployment.connection.names;
    let wire = deployment.connection.edge().await.doing("connect")?;
    let processes = deployment.processes(None);
    let before = processes.sample()?;
    let latencies = fill(wire, names, template, jobs, at_once).await?;
    let used = processes.sample()?.since(&before);
    // Of many at a time it says nothing how long each takes.
    let latencies = if at_once == 1 { latencies } else { Vec::new() };
    Ok(Measured { jobs, used, latencies })
}

/// Records and publishes so many jobs, so many at a time.
pub(super) async fn fill(
    wire: &Wire,
    names: &Names,
    template: &Template,
    jobs: u64,
    at_once: usize,
) -> Result<Vec<std::time::Duration>, BenchError> {
    let stream_name = names.jobs_stream();
    let submit = async |number| {
        let begun = Instant::now();
        let key = key(number);
        let revision =
            publish(wire, &names.state_subject(&key), &expecting(0, None), &template.pending).await?;
        let headers = template.job_headers(&key, revision, &stream_name, None);
        let subject = names.job_subject(&QueueName::default_queue(), &key);
        publish(wire, &subject, &headers, &template.arguments).await?;
        Ok(begun.elapsed())
    };
    let submitting = stream::iter(0..jobs).map(submit).buffer_unordered(at_once);
    submitting.collect::<Vec<_>>().await.into_iter().collect()
}
