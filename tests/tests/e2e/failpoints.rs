//! A crash at each point between two writes: what was accepted still ends once.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, History, Host};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// Starts a host that dies when it first reaches this point.
async fn dying(deployment: &Deployment, point: &str) -> anyhow::Result<Host> {
    deployment.faulty_host(&format!("{point}=return"), &FLAGS).await
}

/// Runs a job on a host that dies at `point`, and then on one that does not. It returns the job's history.
async fn survives(point: &str, arguments: Value) -> anyhow::Result<History> {
    survives_after(Duration::ZERO, point, arguments).await
}

/// The same with a delayed job.
async fn survives_after(delay: Duration, point: &str, arguments: Value) -> anyhow::Result<History> {
    let deployment = Deployment::start().await?;
    let mut dying = dying(&deployment, point).await?;
    deployment.push_as("storm", "storm", "[retry]\nmax_attempts = 2\ninitial_delay = \"10ms\"\n").await?;
    let mut events = deployment.events().await?;
    deployment.client().await?.task("storm.run").id("f").delay(delay).submit(&arguments).await?;
    let ended = dying.end().await?;
    ensure!(ended.signal() == Some(Signal::ABORT.as_raw()), "it did not die at {point}: {ended}");
    let mut next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.f").await?;
    deployment.until_nothing_waits().await?;
    next.check_alive()?;
    Ok(history)
}

#[tokio::test]
async fn a_host_that_died_before_its_claim_costs_no_attempt() -> Test {
    let history = survives("before-claim", json!({})).await?;
    history.assert_success().assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn a_host_that_died_after_its_claim_costs_one() -> Test {
    let history = survives("after-claim", json!({})).await?;
    history.assert_success().assert_attempt(2);
    history.assert_lost(1);
    Ok(())
}

#[tokio::test]
async fn an_outcome_that_died_with_its_host_is_made_again() -> Test {
    for point in ["after-run", "before-record"] {
        let history = survives(point, json!({})).await?;
        history.assert_success().assert_attempt(2);
    }
    Ok(())
}

#[tokio::test]
async fn a_result_that_was_stored_and_not_recorded_is_stored_again() -> Test {
    let history = survives("after-blob", json!({ "result_bytes": 100_000 })).await?;
    history.assert_success().assert_attempt(2);
    let name = history.last()["result_ref"]["name"].to_string();
    let token = history.last()["token"].as_str();
    ensure!(name.contains(token.context("a token")?), "the blob of the claim that ended it: {history}");
    Ok(())
}

#[tokio::test]
async fn a_failure_that_was_dead_lettered_and_not_recorded_is_decided_again() -> Test {
    let arguments = json!({ "fail_times": 1, "how": "permanent" });
    let history = survives("after-dead-letter", arguments).await?;
    // Only the record counts, not the dead-letter copy.
    history.assert_success().assert_attempt(2);
    Ok(())
}

#[tokio::test]
async fn a_recorded_end_whose_message_stayed_is_not_run_again() -> Test {
    let history = survives("after-record", json!({})).await?;
    history.assert_success().assert_attempt(1);
    history.assert_states(["PENDING", "STARTED", "SUCCESS"]);
    Ok(())
}

#[tokio::test]
async fn a_recorded_retry_whose_message_was_not_given_back_is_run_once_more() -> Test {
    let history = survives("after-record", json!({ "fail_times": 1, "how": "failed" })).await?;
    history.assert_success().assert_attempt(2);
    history.assert_lost(0).assert_charged(2);
    Ok(())
}

#[tokio::test]
async fn what_fired_is_gone_wherever_a_host_died() -> Test {
    let delay = Duration::from_millis(200);
    for (point, attempt) in
        [("before-claim", 1), ("after-claim", 2), ("after-discard", 2), ("after-record", 1)]
    {
        let history = survives_after(delay, point, json!({ "sleep_ms": 300 })).await?;
        history.assert_success().assert_attempt(attempt);
    }
    Ok(())
}

#[tokio::test]
async fn an_end_without_an_attempt_that_was_not_recorded_is_recorded_by_the_next_host() -> Test {
    let deployment = Deployment::start().await?;
    let mut dying = dying(&deployment, "before-end").await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.storm.run.f", &[("Wasmhost-Timeout", "soon")], "{}").await?;
    dying.end().await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.f").await?;
    history.assert_failure("BadJob").assert_attempt(0);
    Ok(())
}

#[tokio::test]
async fn a_reconciler_that_died_is_followed_by_another() -> Test {
    let deployment = Deployment::start().await?;
    let mut dying = dying(&deployment, "before-reconcile").await?;
    let mut events = deployment.events().await?;
    deployment
        .client()
        .await?
        .task("storm.run")
        .unchecked()
        .id("f")
        .queue("nobody")
        .submit(&json!({}))
        .await?;
    deployment.purge_queue().await?;
    dying.end().await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.f").await?;
    history.assert_failure("NotPublished").assert_attempt(0);
    Ok(())
}

#[tokio::test]
async fn a_client_that_died_before_it_published_burns_its_id_and_no_more() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let submit = ["submit", "storm.run", "{}", "--id", "f"];
    let died = deployment.faulty("after-pending=return")?.run(&submit).await?;
    ensure!(died.code == -1, "it did not die: {died}");
    let history = events.until_end("storm.run.f").await?;
    history.assert_states(["PENDING", "FAILURE"]);
    history.assert_failure("NotPublished");
    deployment.wasmhost(&submit).await?.refused(75, &["never published", "free again at"])
}

#[tokio::test]
async fn a_client_that_died_after_it_published_has_submitted() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let submit = ["submit", "storm.run", "{}", "--id", "f"];
    let died = deployment.faulty("after-publish=return")?.run(&submit).await?;
    ensure!(died.code == -1, "it did not die: {died}");
    let history = events.until_end("storm.run.f").await?;
    history.assert_success().assert_attempt(1);
    deployment.wasmhost(&submit).await?.ok()?;
    Ok(())
}
