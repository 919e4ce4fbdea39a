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
        Scenario::Submit => submit(&deployment, &client, options).await,
        Scenario::SubmitOne => submit_one(&deployment, &client, options).await,
    }
}

async fn drain(deployment: &Deployment, client: &Client, options: &Options) -> Result<Measured, BenchError> {
    let host = deployment.serve(options).await?;
    callers(client, options, WARM_UP, options.callers).await?;
    drop(host);
    submit_all(client, options, options.jobs).await?;
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

async fn submit(deployment: &Deployment, client: &Client, options: &Options) -> Result<Measured, BenchError> {
    // The registry is read once, for all that follow.
    submit_all(client, options, 1).await?;
    let jobs = options.jobs_of(Scenario::Submit);
    let processes = deployment.processes(None);
    let before = processes.sample()?;
    submit_all(client, options, jobs).await?;
    let used = processes.sample()?.since(&before);
    Ok(Measured { jobs, used, latencies: Vec::new() })
}

async fn submit_one(
    deployment: &Deployment,
    client: &Client,
    options: &Options,
) -> Result<Measured, BenchError> {
    submit_all(client, options, 1).await?;
    let jobs = options.jobs_of(Scenario::SubmitOne);
    let processes = deployment.processes(None);
    let before = processes.sample()?;
    let mut latencies = Vec::new();
    for _ in 0..jobs {
        let begun = Instant::now();
        client.submit(detached(options)?).await.doing("submit a job")?;
        latencies.push(begun.elapsed());
    }
    let used = processes.sample()?.since(&before);
    Ok(Measured { jobs, used, latencies })
}

/// Submits so many jobs that nobody waits for.
async fn submit_all(client: &Client, options: &Options, jobs: u64) -> Result<(), BenchError> {
    let submissions = (0..jobs).map(|_| detached(options)).collect::<Result<Vec<_>, _>>()?;
    for submitted in client.submit_many(submissions).await {
        submitted.doing("submit a job")?;
    }
    Ok(())
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

/// A job that nobody waits for.
fn detached(options: &Options) -> Result<Submission, BenchError> {
    let mut submission = submission(options)?;
    submission.tell_end = false;
    Ok(submission)
}

fn submission(options: &Options) -> Result<Submission, BenchError> {
    Submission::new(TASK, &arguments(options.argument_bytes)).doing("describe a job")
}
