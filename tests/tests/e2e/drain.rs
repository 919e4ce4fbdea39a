//! SIGTERM: a boring deploy.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::jetstream;
use end_to_end::{Deployment, History, within};
use futures::StreamExt;
use serde_json::{Value, json};

use super::Test;

/// Its state, where that is of the first attempt.
fn first_attempt(history: &History) -> &str {
    let last = history.last();
    last["state"].as_str().filter(|_| last["attempt"] == 1).unwrap_or("of another attempt")
}

#[tokio::test]
async fn a_job_that_ends_within_the_grace_ends_where_it_runs() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("progress.run").id("d").submit(&json!({ "steps": 20, "delay_ms": 50 })).await?;
    events.until_state("progress.run.d", "PROGRESS").await?;
    host.terminate()?;
    host.log.wait_for("draining").await?;
    client.task("progress.run").id("after").submit(&json!({ "steps": 0 })).await?;
    let history = events.until_end("progress.run.d").await?;
    assert_eq!(first_attempt(&history), "SUCCESS", "{history}");
    assert_eq!(host.end().await?.code(), Some(0));
    assert_eq!(client.hosts().await?, [], "a host that has gone says so");
    let _next = deployment.host(&[]).await?;
    let history = events.until_end("progress.run.after").await?;
    assert_eq!(first_attempt(&history), "SUCCESS", "{history}");
    Ok(())
}

#[tokio::test]
async fn past_the_grace_a_job_is_handed_off_and_the_attempt_not_charged() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--grace", "300ms"]).await?;
    deployment.push("progress").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "steps": 30, "delay_ms": 100 });
    deployment.client().await?.task("progress.run").id("d").max_attempts(1).submit(&arguments).await?;
    events.until_state("progress.run.d", "PROGRESS").await?;
    host.terminate()?;
    let retry = events.until_state("progress.run.d", "RETRY").await?;
    assert_eq!((&retry["meta"], &retry["charged"]), (&json!({ "reason": "handoff" }), &json!(0)), "{retry}");
    assert_eq!(host.end().await?.code(), Some(0));
    let handed_off = Instant::now();
    let _next = deployment.host(&[]).await?;
    let history = events.until_end("progress.run.d").await?;
    assert_eq!(
        (&history.last()["state"], &history.last()["attempt"]),
        (&json!("SUCCESS"), &json!(2)),
        "{history}"
    );
    ensure!(handed_off.elapsed() < Duration::from_secs(20), "the next host has it at once");
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_a_host_at_once() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--grace", "1h", "--ack-wait", "3s"]).await?;
    deployment.push("hostile").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "do": "sleep", "ms": 2_000 });
    deployment.client().await?.task("hostile.run").id("d").submit(&arguments).await?;
    events.until_state("hostile.run.d", "STARTED").await?;
    host.terminate()?;
    host.log.wait_for("draining").await?;
    let asked = Instant::now();
    host.terminate()?;
    host.end().await?;
    ensure!(asked.elapsed() < Duration::from_secs(1), "it took {:?}", asked.elapsed());
    let _next = deployment.host(&["--ack-wait", "3s"]).await?;
    let history = events.until_end("hostile.run.d").await?;
    assert_eq!(history.last()["state"], "SUCCESS", "and nothing is lost: {history}");
    Ok(())
}

#[tokio::test]
async fn requests_that_a_draining_host_has_are_answered() -> Test {
    const REQUESTS: usize = 200;
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let inbox = deployment.nats.new_inbox();
    let mut answers = deployment.nats.subscribe(format!("{inbox}.*")).await?;
    // It finds the signal and all requests at the same time.
    host.pause()?;
    for n in 0..REQUESTS {
        let (subject, reply) = (format!("wasmhost.status.hello.run.{n}"), format!("{inbox}.{n}"));
        deployment.nats.publish_with_reply(subject, reply, "".into()).await?;
    }
    jetstream::new(deployment.nats.clone()).query_account().await?;
    host.terminate()?;
    host.resume()?;
    for _ in 0..REQUESTS {
        // Of a host, or of the server where there is none any more.
        within("an answer", answers.next()).await?.context("the subscription ended")?;
    }
    assert_eq!(host.end().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_host_whose_terminal_is_closed_drains() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let task = deployment.client().await?.task("progress.run").id("d");
    task.submit(&json!({ "steps": 20, "delay_ms": 50 })).await?;
    events.until_state("progress.run.d", "PROGRESS").await?;
    host.hang_up()?;
    let history = events.until_end("progress.run.d").await?;
    assert_eq!(first_attempt(&history), "SUCCESS", "{history}");
    assert_eq!(host.end().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_host_without_work_drains_at_once() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let hosts = deployment.wasmhost(&["hosts", "--json"]).await?.json_lines()?;
    assert_eq!(hosts.len(), 1);
    let asked = Instant::now();
    host.terminate()?;
    assert_eq!(host.end().await?.code(), Some(0));
    ensure!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    assert_eq!(deployment.wasmhost(&["hosts", "--json"]).await?.json_lines()?, Vec::<Value>::new());
    Ok(())
}
