//! Which jobs are tried again, how often, and when.

use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, History};
use serde_json::{Value, json};
use wasmhost_client::protocol::digest::Digest;
use wasmhost_client::protocol::timestamp::Timestamp;

use super::Test;

/// A policy whose retries come soon.
const SOON: &str = "[retry]\ninitial_delay = \"50ms\"\n";

/// Submits a job of `flaky`, and returns its history. Exactly the jobs that end in FAILURE have a dead-letter copy.
async fn flaky(max_attempts: Option<u32>, arguments: Value) -> anyhow::Result<History> {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    deployment.push_as("flaky", "flaky", SOON).await?;
    let mut events = deployment.events().await?;
    let mut job = deployment.client().await?.task("flaky.run").id("f");
    if let Some(attempts) = max_attempts {
        job = job.max_attempts(attempts);
    }
    job.submit(&arguments).await?;
    let history = events.until_end("flaky.run.f").await?;
    let letter = deployment.dead_letter("flaky.run.f").await?;
    ensure!(letter.is_some() == (history.last()["state"] == "FAILURE"), "{letter:?}: {history}");
    Ok(history)
}

fn time(record: &Value, field: &str) -> anyhow::Result<Timestamp> {
    Ok(Timestamp::parse(record[field].as_str().with_context(|| format!("no {field}: {record}"))?)?)
}

#[tokio::test]
async fn a_task_that_asks_for_it_is_tried_again_after_its_delay() -> Test {
    let history = flaky(None, json!({ "fail_times": 2, "how": "retry", "after_ms": 1500 })).await?;
    history.assert_states(["PENDING", "STARTED", "RETRY", "STARTED", "RETRY", "STARTED", "SUCCESS"]);
    history.assert_result(json!({ "attempt": 3 }));
    for pair in history.0.windows(2).filter(|pair| pair[0].state() == "RETRY") {
        let retry = &pair[0].record;
        let next = &pair[1].record;
        let not_before = time(retry, "not_before")?;
        assert_eq!(not_before, time(retry, "updated_at")?.plus(Duration::from_millis(1500)), "{history}");
        // The protocol lets a claim be a second early; JetStream's own delay is exact.
        ensure!(time(next, "started_at")? >= not_before.minus(Duration::from_millis(100)), "{history}");
    }
    Ok(())
}

#[tokio::test]
async fn a_task_that_always_asks_gets_four_attempts() -> Test {
    let history = flaky(None, json!({ "fail_times": 99, "how": "retry", "after_ms": 1 })).await?;
    history.assert_end("FAILURE").assert_attempt(4);
    Ok(())
}

#[tokio::test]
async fn without_max_attempts_an_error_ends_the_job() -> Test {
    let history = flaky(None, json!({ "fail_times": 1, "how": "failed" })).await?;
    history.assert_failure("Failed").assert_attempt(1).assert_message(&["attempt 1 fails"]);
    assert_eq!(history.last()["error"]["details"], json!({ "attempt": 1 }));
    Ok(())
}

#[tokio::test]
async fn max_attempts_lets_errors_panics_and_traps_be_tried_again() -> Test {
    for how in ["failed", "panic", "trap"] {
        let history = flaky(Some(3), json!({ "fail_times": 2, "how": how })).await?;
        assert_eq!(history.last()["result"], json!({ "attempt": 3 }), "{how}: {history}");
    }
    Ok(())
}

#[tokio::test]
async fn after_max_attempts_the_last_error_is_the_end() -> Test {
    let history = flaky(Some(2), json!({ "fail_times": 9, "how": "failed" })).await?;
    history.assert_states(["PENDING", "STARTED", "RETRY", "STARTED", "FAILURE"]);
    history.assert_failure("Failed").assert_message(&["attempt 2 fails"]);
    assert_eq!(history.last()["error"]["retryable"], true);
    Ok(())
}

#[tokio::test]
async fn a_permanent_error_is_never_tried_again() -> Test {
    let history = flaky(Some(5), json!({ "fail_times": 1, "how": "permanent" })).await?;
    history.assert_failure("Permanent").assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn a_job_that_is_tried_again_has_its_arguments_in_any_form() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    deployment.push_as("flaky", "flaky", SOON).await?;
    let mut events = deployment.events().await?;
    let body = r#"{ "how" : "retry", "after_ms" : 1, "fail_times" : 1 }"#;
    // A client of today, no client at all, and an older client, whose digest is that of the text.
    deployment.client().await?.task("flaky.run").id("today").submit_json(body).await?;
    deployment.publish("wasmhost.jobs.default.flaky.run.none", &[], body).await?;
    let before = Digest::of(body.as_bytes()).to_string();
    let header = [("Wasmhost-Args-Digest", before.as_str())];
    deployment.publish("wasmhost.jobs.default.flaky.run.before", &header, body).await?;
    let mut digests = Vec::new();
    for id in ["today", "none", "before"] {
        let history = events.until_end(&format!("flaky.run.{id}")).await?;
        assert_eq!(history.last()["result"], json!({ "attempt": 2 }), "{id}: {history}");
        digests.push(history.last()["args_digest"].clone());
    }
    ensure!(digests[0] == digests[1] && digests[0] != digests[2] && digests[2] == before, "{digests:?}");
    Ok(())
}
