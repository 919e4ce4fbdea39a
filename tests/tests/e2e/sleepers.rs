//! A host that sleeps longer than ack_wait while it runs a job, and wakes up.

use std::time::{Duration, Instant};

use anyhow::ensure;
use async_nats::Subscriber;
use end_to_end::{Deployment, History, Host, until};
use futures::{FutureExt, StreamExt};
use serde_json::json;
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
