//! Revoking: a revoked job never starts, or really stops.

use std::time::{Duration, Instant};

use anyhow::ensure;
use end_to_end::Deployment;
use serde_json::{Value, json};
use wasmhost_client::protocol::timestamp::Timestamp;
use wasmhost_client::{RevokeError, RevokeOptions};

use super::Test;

/// How long a revoke without a grace may take, as the README promises.
const AT_ONCE: Duration = Duration::from_secs(1);

fn forever() -> Value {
    json!({ "steps": 100_000, "delay_ms": 50 })
}

fn grace(grace: Duration) -> RevokeOptions {
    RevokeOptions::new("user left").with_grace(grace)
}

fn time(value: &Value) -> anyhow::Result<Timestamp> {
    Ok(Timestamp::parse(value.as_str().unwrap_or_default())?)
}

#[tokio::test]
async fn a_job_revoked_midway_ends_within_a_second() -> Test {
    let (deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("progress.run").id("r").submit(&forever()).await?;
    events.until_state("progress.run.r", "PROGRESS").await?;
    let asked = Instant::now();
    let record = job.revoke("user left").await?;
    ensure!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    assert_eq!(record.revoke.clone().map(|revoke| revoke.reason).as_deref(), Some("user left"));
    let history = events.until_end("progress.run.r").await?;
    history.assert_revoked().assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn a_busy_loop_is_revoked_within_a_second() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("hostile.run").id("r").submit(&json!({ "do": "spin" })).await?;
    events.until_state("hostile.run.r", "STARTED").await?;
    let asked = Instant::now();
    job.revoke("it never ends").await?;
    ensure!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    events.until_end("hostile.run.r").await?.assert_states(["PENDING", "STARTED", "REVOKED"]);
    host.check_alive()
}

#[tokio::test]
async fn a_revoked_queued_job_never_starts() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let job = client.task("hello.run").id("queued").queue("later").submit(&json!({})).await?;
    job.revoke("not needed").await?;
    let _later = deployment.host(&["--queues", "later"]).await?;
    let next = client.task("hello.run").id("next").queue("later").submit(&json!({})).await?;
    let _: Value = next.result().await?;
    deployment.until_queue_empty().await?;
    let history = events.until_end("hello.run.queued").await?;
    history.assert_states(["PENDING", "REVOKED"]).assert_attempt(0);
    Ok(())
}

#[tokio::test]
async fn a_task_may_stop_by_itself_within_the_grace() -> Test {
    let (deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("progress.run").id("r").submit(&forever()).await?;
    events.until_state("progress.run.r", "PROGRESS").await?;
    job.revoke_with(grace(Duration::from_secs(30))).await?;
    let history = events.until_end("progress.run.r").await?;
    history.assert_revoked();
    let stop_at = time(&history.last()["revoke"]["stop_at"])?;
    let ended = time(&history.last()["finished_at"])?;
    ensure!(ended < stop_at, "it stopped at {ended}, not by itself before {stop_at}");
    Ok(())
}

#[tokio::test]
async fn a_task_that_does_not_stop_by_itself_is_stopped_when_the_grace_is_over() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("hostile.run").id("r").submit(&json!({ "do": "spin" })).await?;
    events.until_state("hostile.run.r", "STARTED").await?;
    job.revoke_with(grace(Duration::from_secs(2))).await?;
    let history = events.until_end("hostile.run.r").await?;
    let stop_at = time(&history.last()["revoke"]["stop_at"])?;
    let ended = time(&history.last()["finished_at"])?;
    ensure!(ended >= stop_at && ended < stop_at.plus(AT_ONCE), "stopped at {ended}, not about {stop_at}");
    Ok(())
}

#[tokio::test]
async fn only_if_queued_leaves_a_running_job_alone() -> Test {
    let (deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let arguments = json!({ "steps": 20, "delay_ms": 50 });
    let running = client.task("progress.run").id("running").submit(&arguments).await?;
    events.until_state("progress.run.running", "PROGRESS").await?;
    let queued = client.task("progress.run").id("queued").queue("later").submit(&arguments).await?;
    let options = RevokeOptions::default().if_queued();
    let answer = running.revoke_with(options.clone()).await;
    ensure!(matches!(answer, Err(RevokeError::AlreadyRunning { .. })), "{answer:?}");
    queued.revoke_with(options).await?;
    events.until_end("progress.run.queued").await?.assert_states(["PENDING", "REVOKED"]);
    events.until_end("progress.run.running").await?.assert_success();
    Ok(())
}

#[tokio::test]
async fn a_revoke_after_the_end_is_too_late_and_changes_nothing() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("hello.run").id("done").submit(&json!({})).await?;
    let _: Value = job.result().await?;
    let answer = job.revoke("too late").await;
    ensure!(matches!(answer, Err(RevokeError::TooLate { .. })), "{answer:?}");
    deployment.wasmhost(&["revoke", "hello.run.done"]).await?.refused(1, &["too late"])?;
    let history = events.until_end("hello.run.done").await?;
    history.assert_states(["PENDING", "STARTED", "SUCCESS"]);
    Ok(())
}

#[tokio::test]
async fn a_job_that_waits_for_its_retry_is_revoked_at_once() -> Test {
    let (deployment, _host) = Deployment::with_host(&["flaky"]).await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "how": "retry", "after_ms": 3_600_000 });
    let job = deployment.client().await?.task("flaky.run").id("r").submit(&arguments).await?;
    events.until_state("flaky.run.r", "RETRY").await?;
    job.revoke("no longer wanted").await?;
    let history = events.until_end("flaky.run.r").await?;
    history.assert_states(["PENDING", "STARTED", "RETRY", "REVOKED"]);
    Ok(())
}

#[tokio::test]
async fn the_reason_of_a_revoke_is_cut_to_what_a_record_has_room_for() -> Test {
    let (deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("progress.run").id("r").submit(&forever()).await?;
    events.until_state("progress.run.r", "PROGRESS").await?;
    let record = job.revoke("because ".repeat(50_000)).await?;
    let reason = record.revoke.clone().map(|revoke| revoke.reason).unwrap_or_default();
    ensure!((900..=1_024).contains(&reason.len()), "{} bytes of it are kept", reason.len());
    Ok(())
}
