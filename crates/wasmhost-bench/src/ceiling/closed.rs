//! The ceiling of callers that wait: each records and publishes a job, and is told of its end.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use nats_wire::Wire;
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::names::Names;

use super::worker::{publish, work};
use crate::deployment::Deployment;
use crate::error::{BenchError, Doing};
use crate::measured::Measured;
use crate::template::{Template, expecting, key};

pub(super) async fn measure(
    deployment: &Deployment,
    template: &Template,
    jobs: u64,
    callers: usize,
) -> Result<Measured, BenchError> {
    let names = &deployment.connection.names;
    let wire = deployment.connection.edge().await.doing("connect")?;
    let template = Rc::new(template.clone());
    let processes = deployment.processes(None);
    let before = processes.sample()?;
    let calls = async {
        let call = |number| call(wire, names, &template, number);
        let calls = stream::iter(0..jobs).map(call).buffer_unordered(callers);
        calls.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, _>>()
    };
    let working = work(wire, names, template.clone(), jobs, |_| Ok(()));
    let (latencies, worked) = tokio::join!(calls, working);
    worked?;
    let used = processes.sample()?.since(&before);
    Ok(Measured { jobs, used, latencies: latencies? })
}

async fn call(wire: &Wire, names: &Names, template: &Template, number: u64) -> Result<Duration, BenchError> {
    let begun = Instant::now();
    let key = key(number);
    let end = wire.expect().await;
    let revision = publish(wire, &names.state_subject(&key), &expecting(0, None), &template.pending).await?;
    let headers = template.job_headers(&key, revision, &names.jobs_stream(), Some(end.subject()));
    let subject = names.job_subject(&QueueName::default_queue(), &key);
    publish(wire, &subject, &headers, &template.arguments).await?;
    end.await.ok_or_else(|| BenchError::Job("its end was not told".to_owned()))?;
    Ok(begun.elapsed())
}
