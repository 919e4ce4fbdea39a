//! The scenarios, with a host that runs the jobs.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use wasmhost_client::{Client, Submission};

use crate::deployment::Deployment;
use crate::error::{BenchError, Doing};
use crate::measured::{EDGE_JOBS, Measured};
use crate::options::Options;
use crate::scenario_kind::Scenario;
use crate::template::{TASK, arguments};

/// How many jobs are submitted before a measurement, so that the module is compiled and every cache is warm.
const WARM_UP: u64 = 300;

/// Measures one scenario once.
pub(crate) async fn measure(scenario: Scenario, options: &Options) -> Result<Measured, BenchError> {
    let deployment = Deployment::start(options).await?;
    deployment.push(options)?;
    let client = deployment.client().await?;
    match scenario {
        Scenario::Drain => drain(&deployment, &client, options).await,
        Scenario::Closed | Scenario::Latency => closed(&deployment, &client, options, scenario).await,
    }
}

async fn drain(deployment: &Deployment, client: &Client, options: &Options) -> Result<Measured, BenchError> {
    let host = deployment.serve(options).await?;
    callers(client, options, WARM_UP, options.callers).await?;
    drop(host);
    // Nobody waits for them.
    let detached = || {
        let mut submission = submission(options)?;
        submission.tell_end = false;
        Ok(submission)
    };
    let submissions = (0..options.jobs).map(|_| detached());
    for submitted in client.submit_many(submissions.collect::<Result<Vec<_>, BenchError>>()?).await {
        submitted.doing("submit a job")?;
    }
    let host = deployment.serve(options).await?;
    let processes = deployment.processes(Some(&host));
    let most = options.jobs.saturating_sub(EDGE_JOBS);
    let (first, before) = loop {
        let queued = deployment.queued().await?;
        if queued <= most {
            break (queued, processes.sample()?);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let (last, after) = loop {
        // Few looks, which cost the server little.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let queued = deployment.queued().await?;
        if queued <= EDGE_JOBS {
            break (queued, processes.sample()?);
        }
    };
    Ok(Measured { jobs: first - last, used: after.since(&before), latencies: Vec::new() })
}

async fn closed(
    deployment: &Deployment,
    client: &Client,
    options: &Options,
    scenario: Scenario,
) -> Result<Measured, BenchError> {
    let host = deployment.serve(options).await?;
    callers(client, options, WARM_UP, options.callers).await?;
    let processes = deployment.processes(Some(&host));
    let jobs = options.jobs_of(scenario);
    let before = processes.sample()?;
    let latencies = callers(client, options, jobs, options.callers_of(scenario)).await?;
    let used = processes.sample()?.since(&before);
    Ok(Measured { jobs, used, latencies })
}

/// Runs so many jobs, each submitted when one of so many callers has the result of the one before.
async fn callers(
    client: &Client,
    options: &Options,
    jobs: u64,
    at_once: usize,
) -> Result<Vec<Duration>, BenchError> {
    let call = async |_| {
        let begun = Instant::now();
        let accepted = client.submit(submission(options)?).await.doing("submit a job")?;
        let result: u64 = accepted.job.result().await.doing("wait for a result")?;
        let wanted = arguments(options.argument_bytes)["text"].as_str().map_or(0, str::len) as u64;
        if result != wanted {
            return Err(BenchError::Job(format!("it returned {result} in place of {wanted}")));
        }
        Ok(begun.elapsed())
    };
    let calls = stream::iter(0..jobs).map(call).buffer_unordered(at_once);
    calls.collect::<Vec<_>>().await.into_iter().collect()
}

fn submission(options: &Options) -> Result<Submission, BenchError> {
    Submission::new(TASK, &arguments(options.argument_bytes)).doing("describe a job")
}
