//! A host that sleeps longer than ack_wait while it runs a job, and wakes up.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::Subscriber;
use end_to_end::{Deployment, History, Host, until, within};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use wasmhost_client::RevokeOptions;

use super::Test;

const FLAGS: [&str; 2] = ["--ack-wait", "2s"];
const ACK_WAIT: Duration = Duration::from_secs(2);

/// Waits until the processor time of the host grows by less than a tenth of the time that passes.
async fn until_idle(host: &Host) -> Test {
    let mut before = (Instant::now(), host.cpu()?);
    until("a guest that stands still", async || {
        let now = (Instant::now(), host.cpu()?);
        let (passed, used) = (now.0 - before.0, now.1.saturating_sub(before.1));
        if passed < Duration::from_millis(300) {
            return Ok(None);
        }
        before = now;
        Ok((used < passed / 10).then_some(()))
    })
    .await
}

/// What was sent so far.
fn heard(subscriber: &mut Subscriber) -> Vec<(String, String)> {
    let mut heard = Vec::new();
    while let Some(Some(message)) = subscriber.next().now_or_never() {
        heard.push((message.subject.to_string(), String::from_utf8_lossy(&message.payload).into_owned()));
    }
    heard
}

#[tokio::test]
async fn a_host_that_slept_through_its_lease_sends_nothing_and_stops_its_guest() -> Test {
    let deployment = Deployment::start().await?;
    let mut sleeper = deployment.host(&FLAGS).await?;
    deployment.push("hostile").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let job = client.task("hostile.run").id("s").submit(&json!({ "do": "spin" })).await?;
    let first = events.until_state("hostile.run.s", "STARTED").await?;
    sleeper.pause()?;
    let _next = deployment.host(&FLAGS).await?;
    let second = |history: &History| history.last()["attempt"] == 2;
    events.until("hostile.run.s", |history| !history.0.is_empty() && second(history)).await?;
    let mut writes = deployment.nats.subscribe("$KV.wasmhost-states.>").await?;
    let mut answers = deployment.nats.subscribe("$JS.ACK.WASMHOST_JOBS.>").await?;
    deployment.nats.flush().await?;
    let woke = Instant::now();
    sleeper.resume()?;
    sleeper.log.wait_for("lost the lease").await?;
    ensure!(woke.elapsed() < ACK_WAIT, "it took {:?}", woke.elapsed());
    until_idle(&sleeper).await?;
    let token = first["token"].as_str().unwrap_or_default();
    let written = heard(&mut writes);
    ensure!(!written.iter().any(|(_, body)| body.contains(token)), "the sleeper wrote: {written:?}");
    // $JS.ACK.<stream>.<consumer>.<delivery>.…
    let answered = heard(&mut answers);
    let of_sleeper = |subject: &str| subject.split('.').nth(4) == Some("1");
    ensure!(!answered.iter().any(|(subject, _)| of_sleeper(subject)), "the sleeper answered: {answered:?}");
    job.request_revoke(RevokeOptions::default()).await?;
    let history = events.until_end("hostile.run.s").await?;
    assert_eq!(
        (&history.last()["state"], &history.last()["attempt"]),
        (&json!("REVOKED"), &json!(2)),
        "{history}"
    );
    sleeper.check_alive()
}

/// A host falls asleep at this point; meanwhile another one ends the job. What is told of its guest: nothing.
async fn tells_of_no_guest_after_sleeping_at(point: &str) -> Test {
    let deployment = Deployment::start().await?;
    let mut sleeper = deployment.faulty_host(&format!("{point}=1*return(pause)"), &FLAGS).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let mut lines = deployment.nats.subscribe("wasmhost.logs.storm.>").await?;
    let client = deployment.client().await?;
    client.task("storm.run").id("s").submit(&json!({})).await?;
    until("a host that sleeps", async || Ok(sleeper.is_paused()?.then_some(()))).await?;
    let next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.s").await?;
    assert_eq!(
        (&history.last()["state"], &history.last()["attempt"]),
        (&json!("SUCCESS"), &json!(2)),
        "{point}: {history}"
    );
    sleeper.resume()?;
    sleeper.log.wait_for("lost the lease").await?;
    // What the sleeper sent of the first job is here before what it sends of a second one.
    next.kill().await?;
    client.task("storm.run").id("t").submit(&json!({})).await?;
    events.until_end("storm.run.t").await?;
    let mut attempts = Vec::new();
    loop {
        let line = within("a line of a guest", lines.next()).await?.context("the subscription ended")?;
        if line.subject.ends_with(".t") {
            break;
        }
        let line: Value = serde_json::from_slice(&line.payload)?;
        attempts.push(line["attempt"].clone());
    }
    assert_eq!(attempts, [json!(2), json!(2)], "{point}: the lines at its start and end");
    sleeper.check_alive()
}

#[tokio::test]
async fn a_host_that_slept_over_the_answer_to_its_claim_runs_no_guest() -> Test {
    tells_of_no_guest_after_sleeping_at("claim-sent").await
}

#[tokio::test]
async fn a_host_that_slept_before_it_heard_its_guest_tells_nobody() -> Test {
    tells_of_no_guest_after_sleeping_at("before-guest-is-heard").await
}

#[tokio::test]
async fn a_host_that_slept_while_nobody_took_over_goes_on() -> Test {
    let deployment = Deployment::start().await?;
    let mut sleeper = deployment.host(&FLAGS).await?;
    deployment.push("progress").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "steps": 60, "delay_ms": 50 });
    deployment.client().await?.task("progress.run").id("s").submit(&arguments).await?;
    events.until_state("progress.run.s", "PROGRESS").await?;
    sleeper.pause()?;
    tokio::time::sleep(ACK_WAIT + ACK_WAIT / 2).await;
    sleeper.resume()?;
    let history = events.until_end("progress.run.s").await?;
    assert_eq!(
        (&history.last()["state"], &history.last()["attempt"]),
        (&json!("SUCCESS"), &json!(1)),
        "{history}"
    );
    sleeper.check_alive()
}
