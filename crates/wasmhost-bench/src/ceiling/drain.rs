//! The ceiling of a drain.

use std::rc::Rc;

use futures::StreamExt;
use futures::stream;
use wasmhost_protocol::ids::QueueName;

use super::worker::{publish, work};
use crate::deployment::Deployment;
use crate::error::{BenchError, Doing};
use crate::measured::{EDGE_JOBS, Measured};
use crate::options::Options;
use crate::template::{Template, expecting, key};

/// How many publishes are under way while the queue is filled.
const FILLING_AT_ONCE: usize = 512;

pub(super) async fn measure(
    deployment: &Deployment,
    template: &Template,
    options: &Options,
) -> Result<Measured, BenchError> {
    let names = &deployment.connection.names;
    let wire = deployment.connection.edge().await.doing("connect")?;
    let stream_name = names.jobs_stream();
    let fill = async |number| {
        let key = key(number);
        let revision =
            publish(wire, &names.state_subject(&key), &expecting(0, None), &template.pending).await?;
        let headers = template.job_headers(&key, revision, &stream_name, None);
        let subject = names.job_subject(&QueueName::default_queue(), &key);
        publish(wire, &subject, &headers, &template.arguments).await
    };
    let filling = stream::iter(0..options.jobs).map(fill).buffer_unordered(FILLING_AT_ONCE);
    filling.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let processes = deployment.processes(None);
    let last = options.jobs.saturating_sub(EDGE_JOBS);
    let mut samples = Vec::new();
    let note = |ended| {
        if ended == EDGE_JOBS || ended == last {
            samples.push(processes.sample()?);
        }
        Ok(())
    };
    work(wire, names, Rc::new(template.clone()), options.jobs, note).await?;
    let [before, after] = samples.as_slice() else {
        return Err(BenchError::Job("there are too few jobs to measure anything".to_owned()));
    };
    Ok(Measured { jobs: last - EDGE_JOBS, used: after.since(before), latencies: Vec::new() })
}
