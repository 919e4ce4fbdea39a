//! `kill -9` of a host while it runs a job.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Events, Host};
use serde_json::json;
use wasmhost_client::RevokeOptions;

use super::Test;

/// The acknowledgement wait is short, so that a dead host is noticed soon.
const FLAGS: [&str; 2] = ["--ack-wait", "3s"];

/// Starts a host that runs the job `progress.run.c`, and records its transitions.
async fn running(steps: u32) -> anyhow::Result<(Deployment, Host, Events)> {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("progress").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "steps": steps, "delay_ms": 50 });
    deployment.client().await?.task("progress.run").id("c").submit(&arguments).await?;
    events.until_state("progress.run.c", "PROGRESS").await?;
    Ok((deployment, host, events))
}

#[tokio::test]
async fn a_killed_hosts_job_succeeds_on_the_next_as_attempt_2() -> Test {
    let (deployment, host, mut events) = running(20).await?;
    host.kill().await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("progress.run.c").await?;
    history.assert_states(["PENDING", "STARTED", "PROGRESS", "STARTED", "PROGRESS", "SUCCESS"]);
    history.assert_attempt(2).assert_lost(1).assert_charged(1);
    Ok(())
}

#[tokio::test]
async fn a_host_that_slept_through_its_lease_says_nothing_when_it_wakes() -> Test {
    let (deployment, mut sleeper, mut events) = running(100).await?;
    sleeper.pause()?;
    let next = deployment.host(&FLAGS).await?;
    events.until_attempt("progress.run.c", 2).await?;
    sleeper.resume()?;
    let history = events.until_end("progress.run.c").await?;
    history.assert_success().assert_attempt(2);
    let tokens: BTreeSet<_> =
        history.0.iter().map(|transition| transition.record["token"].to_string()).collect();
    assert_eq!(tokens.len(), 3, "no token, the sleeper's, and that of the next host: {history}");
    drop(next);
    let _: serde_json::Value = deployment
        .client()
        .await?
        .task("progress.run")
        .submit(&json!({ "steps": 0 }))
        .await?
        .result()
        .await?;
    sleeper.check_alive()
}

#[tokio::test]
async fn a_job_revoked_while_no_host_is_up_ends_revoked_without_attempt_2() -> Test {
    let (deployment, host, mut events) = running(1_000).await?;
    host.kill().await?;
    let job = deployment.job("progress.run.c").await?;
    let asked = job.request_revoke(RevokeOptions::new("nobody home"));
    ensure!(!asked.await?.is_terminal(), "its host may be alive for all that the client knows");
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("progress.run.c").await?;
    history.assert_revoked().assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn a_redelivered_raw_job_keeps_its_id() -> Test {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("progress").await?;
    let mut events = deployment.events().await?;
    let body = r#"{"steps":20,"delay_ms":50}"#;
    deployment.outsider()?.publish("wasmhost.jobs.default.progress.run", &[], body).await?;
    let key = events.until_any("progress.run").await?;
    events.until_state(&key, "PROGRESS").await?;
    host.kill().await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end(&key).await?;
    history.assert_success().assert_attempt(2);
    let jobs = deployment.wasmhost(&["jobs", "--json"]).await?.json_lines()?;
    assert_eq!(jobs.len(), 1, "no other record came of it: {jobs:?}");
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_survives_a_killed_host() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push_as("hostile", "hostile", "[retry]\nmax_attempts = 3\ninitial_delay = \"50ms\"\n").await?;
    let job = deployment.client().await?.task("hostile.run");
    let job = job.submit(&json!({ "do": "checkpoint", "fail_times": 2 })).await?;
    let count: serde_json::Value = job.result().await?;
    assert_eq!(count, json!({ "count": 3 }));
    Ok(())
}

#[tokio::test]
async fn a_killed_nats_server_loses_no_job() -> Test {
    let (mut deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let client = deployment.client().await?;
    let queued = client.task("hello.run").id("q").queue("later").submit(&json!({ "name": "Ada" })).await?;
    deployment.server.kill()?;
    deployment.server.restart()?;
    let _later = deployment.host(&["--queues", "later"]).await?;
    let greeting: serde_json::Value = queued.result().await.context("the queued job")?;
    assert_eq!(greeting, json!({ "greeting": "Hello, Ada!" }));
    let _: serde_json::Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}
