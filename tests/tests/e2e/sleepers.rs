//! A host sleeps for longer than its acknowledgement wait while it runs a job, and wakes up.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::Message;
use end_to_end::{Deployment, Host, Traffic, until, until_true, within};
use futures::StreamExt;
use serde_json::{Value, json};
use wasmhost_client::RevokeOptions;

use super::Test;

const FLAGS: [&str; 2] = ["--ack-wait", "2s"];
const ACK_WAIT: Duration = Duration::from_secs(2);

/// Waits until the host uses less than a tenth of a processor.
async fn until_idle(host: &Host) -> Test {
    let mut before = (Instant::now(), host.cpu()?);
    until("a guest that stands still", async || {
        let now = (Instant::now(), host.cpu()?);
        let passed = now.0 - before.0;
        let used = now.1.saturating_sub(before.1);
        if passed < Duration::from_millis(300) {
            return Ok(None);
        }
        before = now;
        Ok((used < passed / 10).then_some(()))
    })
    .await
}

/// What was sent so far, as subjects and payloads.
fn sent(traffic: &mut Traffic) -> Vec<(String, String)> {
    let text = |message: Message| {
        (message.subject.to_string(), String::from_utf8_lossy(&message.payload).into_owned())
    };
    traffic.so_far().into_iter().map(text).collect()
}

#[tokio::test]
async fn a_host_that_slept_through_its_lease_sends_nothing_and_stops_its_guest() -> Test {
    let deployment = Deployment::start().await?;
    // With one slot it takes a second job only when it has given the first one up.
    let mut sleeper = deployment.host(&[&FLAGS[..], &["--slots", "1"]].concat()).await?;
    // The guest spins for longer than this test takes: only the loss of its lease stops it.
    deployment.push_as("hostile", "hostile", "[limits]\ncpu = \"5m\"\n").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let job = client.task("hostile.run").id("s").submit(&json!({ "do": "spin" })).await?;
    let first = events.until_state("hostile.run.s", "STARTED").await?;
    sleeper.pause()?;
    let next = deployment.host(&FLAGS).await?;
    events.until_attempt("hostile.run.s", 2).await?;
    let mut writes = deployment.writes(">").await?;
    let mut answers = deployment.answers().await?;
    sleeper.resume()?;
    until_idle(&sleeper).await?;
    let token = first["token"].as_str().unwrap_or_default();
    let written = sent(&mut writes);
    ensure!(!written.iter().any(|(_, body)| body.contains(token)), "the sleeper wrote: {written:?}");
    // $JS.ACK.<stream>.<consumer>.<delivery>.…
    let answered = sent(&mut answers);
    let of_sleeper = |subject: &str| subject.split('.').nth(4) == Some("1");
    ensure!(!answered.iter().any(|(subject, _)| of_sleeper(subject)), "the sleeper answered: {answered:?}");
    job.request_revoke(RevokeOptions::default()).await?;
    let history = events.until_end("hostile.run.s").await?;
    history.assert_revoked().assert_attempt(2);
    next.kill().await?;
    client.task("hostile.run").id("t").submit(&json!({})).await?;
    events.until_end("hostile.run.t").await?.assert_success().assert_attempt(1);
    sleeper.check_alive()
}

/// Lets a host fall asleep at this point while another one ends the job, and checks that it publishes no line of its guest.
async fn publishes_no_line_after_sleeping_at(point: &str) -> Test {
    let deployment = Deployment::start().await?;
    // With one slot it takes a second job only when it has given the first one up.
    let flags = [&FLAGS[..], &["--slots", "1"]].concat();
    let mut sleeper = deployment.faulty_host(&format!("{point}=1*return(pause)"), &flags).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let mut lines = deployment.nats.subscribe("wasmhost.logs.storm.>").await?;
    let client = deployment.client().await?;
    client.task("storm.run").id("s").submit(&json!({})).await?;
    until_true("a host that sleeps", async || sleeper.is_paused()).await?;
    let next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.s").await?;
    assert_eq!(history.last()["state"], "SUCCESS", "{point}: {history}");
    assert_eq!(history.last()["attempt"], 2, "{point}: {history}");
    sleeper.resume()?;
    // What the sleeper sends of the first job comes before what it sends of a second one.
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
    publishes_no_line_after_sleeping_at("claim-sent").await
}

#[tokio::test]
async fn a_host_that_slept_before_it_heard_its_guest_publishes_nothing() -> Test {
    publishes_no_line_after_sleeping_at("before-guest-is-heard").await
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
    history.assert_success().assert_attempt(1);
    sleeper.check_alive()
}
