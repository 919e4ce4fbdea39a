//! Draining: what happens to running jobs when a host is asked to leave.

use anyhow::Context;
use end_to_end::{Deployment, within};
use futures::StreamExt;
use serde_json::{Value, json};

use super::Test;

/// A grace that no test waits for: a host that ends in time has not used it up.
const LONG_GRACE: [&str; 2] = ["--grace", "1h"];

/// Longer than a test may take: a job that comes to the next host in time was not only missed by its host.
const LONG_ACK_WAIT: [&str; 2] = ["--ack-wait", "10m"];

#[tokio::test]
async fn a_job_that_ends_within_the_grace_ends_where_it_runs() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("progress.run").id("d").submit(&json!({ "steps": 20, "delay_ms": 50 })).await?;
    events.until_state("progress.run.d", "PROGRESS").await?;
    host.terminate()?;
    deployment.until_draining(&host.known_id()?).await?;
    client.task("progress.run").id("after").submit(&json!({ "steps": 0 })).await?;
    events.until_end("progress.run.d").await?.assert_success().assert_attempt(1);
    host.until_drained().await?;
    assert_eq!(client.hosts().await?, [], "a host that has gone says so");
    let _next = deployment.host(&[]).await?;
    events.until_end("progress.run.after").await?.assert_success().assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn past_the_grace_a_job_is_handed_off_and_the_attempt_not_charged() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&[&LONG_ACK_WAIT[..], &["--grace", "300ms"]].concat()).await?;
    deployment.push("progress").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "steps": 30, "delay_ms": 100 });
    deployment.client().await?.task("progress.run").id("d").max_attempts(1).submit(&arguments).await?;
    events.until_state("progress.run.d", "PROGRESS").await?;
    host.terminate()?;
    let retry = events.until_state("progress.run.d", "RETRY").await?;
    assert_eq!(retry["meta"], json!({ "reason": "handoff" }), "{retry}");
    assert_eq!(retry["charged"], 0, "{retry}");
    host.until_drained().await?;
    // The next host gets the job because it was given back, and not because an acknowledgement is overdue.
    let _next = deployment.host(&LONG_ACK_WAIT).await?;
    events.until_end("progress.run.d").await?.assert_success().assert_attempt(2);
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_a_host_at_once() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&[&LONG_GRACE[..], &["--ack-wait", "3s"]].concat()).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    // Its first attempt outlasts the test: the host ends before the job does.
    let arguments = json!({ "sleep_ms": 600_000, "slow_until_attempt": 1 });
    deployment.client().await?.task("storm.run").id("d").submit(&arguments).await?;
    events.until_state("storm.run.d", "STARTED").await?;
    host.terminate()?;
    deployment.until_draining(&host.known_id()?).await?;
    host.terminate()?;
    host.end().await?;
    let _next = deployment.host(&["--ack-wait", "3s"]).await?;
    let history = events.until_end("storm.run.d").await?;
    assert_eq!(history.last()["state"], "SUCCESS", "and nothing is lost: {history}");
    Ok(())
}

#[tokio::test]
async fn requests_that_a_draining_host_has_are_answered() -> Test {
    const REQUESTS: usize = 200;
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let inbox = deployment.nats.new_inbox();
    let mut answers = deployment.nats.subscribe(format!("{inbox}.*")).await?;
    // When it goes on, the host finds the signal and all requests at the same time.
    host.pause()?;
    for n in 0..REQUESTS {
        let subject = format!("wasmhost.status.hello.run.{n}");
        let reply = format!("{inbox}.{n}");
        deployment.nats.publish_with_reply(subject, reply, "".into()).await?;
    }
    deployment.jetstream().query_account().await?;
    host.terminate()?;
    host.resume()?;
    for _ in 0..REQUESTS {
        // The answer is that of the host, or of the server where no host is left.
        within("an answer", answers.next()).await?.context("the subscription ended")?;
    }
    host.until_drained().await?;
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
    events.until_end("progress.run.d").await?.assert_success().assert_attempt(1);
    host.until_drained().await?;
    Ok(())
}

#[tokio::test]
async fn a_host_without_work_drains_at_once() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&LONG_GRACE).await?;
    assert_eq!(deployment.presences().await?.len(), 1);
    host.drain().await?;
    assert_eq!(deployment.presences().await?, Vec::<Value>::new());
    Ok(())
}
