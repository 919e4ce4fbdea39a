//! The memory of all attempts together: a host takes no more jobs than it has memory for, and gives none back for want of it.

use std::time::Duration;

use anyhow::ensure;
use end_to_end::{Deployment, Events, Level, until_true, within};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::Test;

const ACK_WAIT: Duration = Duration::from_secs(1);

/// The most attempts that ran at a time, by the order of revisions.
fn most_at_once(events: &Events, keys: &[String]) -> i64 {
    let mut steps: Vec<(u64, i64)> = Vec::new();
    for key in keys {
        for transition in events.so_far(key).0 {
            match transition.record["state"].as_str() {
                Some("STARTED") => steps.push((transition.revision, 1)),
                Some("PENDING") => {}
                _ => steps.push((transition.revision, -1)),
            }
        }
    }
    steps.sort_unstable();
    let mut running = 0;
    steps
        .into_iter()
        .map(|(_, step)| {
            running += step;
            running
        })
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn no_more_jobs_run_than_there_is_memory_for() -> Test {
    let deployment = Deployment::start().await?;
    // Enough for two limits of 128 MiB and what each attempt needs besides.
    let mut host = deployment.host(&["--slots", "8", "--memory", "300M"]).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let arguments = json!({ "sleep_ms": 200 });
    let submitting = (0..8).map(|_| client.task("storm.run").submit(&arguments));
    let keys: Vec<_> = try_join_all(submitting).await?.iter().map(|job| job.key().to_string()).collect();
    for key in &keys {
        let history = events.until_end(key).await?;
        history.assert_success();
        assert_eq!(history.last()["delivery"]["count"], 1, "{history}");
    }
    assert_eq!(most_at_once(&events, &keys), 2, "as many as there is room for, and not one more");
    host.check_alive()
}

#[tokio::test]
async fn jobs_that_need_more_than_the_usual_all_get_it_in_their_turn() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--slots", "8", "--memory", "600M"]).await?;
    deployment.push_as("storm", "storm", "[limits]\nmemory_bytes = 419430400\n").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let arguments = json!({ "sleep_ms": 50 });
    let submitting = (0..8).map(|_| client.task("storm.run").submit(&arguments));
    let keys: Vec<_> = try_join_all(submitting).await?.iter().map(|job| job.key().to_string()).collect();
    for key in &keys {
        let history = events.until_end(key).await?;
        history.assert_success();
    }
    assert_eq!(most_at_once(&events, &keys), 1, "of 400 MiB each there fits one");
    host.check_alive()
}

#[tokio::test]
async fn a_job_that_waits_for_memory_is_held_and_not_given_back() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--slots", "8", "--memory", "300M", "--ack-wait", "1s"]).await?;
    deployment.push("storm").await?;
    deployment.push_as("hello", "big", "[limits]\nmemory_bytes = 209715200\n").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("storm.run").id("first").submit(&json!({ "sleep_ms": 60_000 })).await?;
    events.until_state("storm.run.first", "STARTED").await?;
    client.task("big.run").id("b").submit(&json!({})).await?;
    let mut consumer = deployment.consumer("default").await?;
    until_true("its delivery", async || Ok(consumer.info().await?.delivered.consumer_sequence == 2)).await?;
    // Several times as long as a host may keep a delivery without a sign of life.
    tokio::time::sleep(ACK_WAIT * 4).await;
    let info = consumer.info().await?;
    ensure!(info.delivered.consumer_sequence == 2 && info.num_ack_pending == 2, "{info:?}");
    let record = deployment.known_record("big.run.b").await?;
    assert_eq!(record["state"], "PENDING", "{record}");
    host.until_logged(Level::Info, "big.run.b").await?;
    // A job that is revoked meanwhile never starts.
    client.task("big.run").id("r").submit(&json!({})).await?;
    deployment.wasmhost(&["revoke", "big.run.r"]).await?.ok()?;
    deployment.wasmhost(&["revoke", "storm.run.first"]).await?.ok()?;
    let history = events.until_end("big.run.b").await?;
    history.assert_success().assert_attempt(1);
    let revoked = events.until_end("big.run.r").await?;
    revoked.assert_revoked().assert_attempt(0);
    host.check_alive()
}

#[tokio::test]
async fn a_module_that_asks_for_more_than_all_memory_is_refused_and_others_run() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--memory", "200M"]).await?;
    host.until_logged(Level::Warn, "--memory").await?;
    deployment.push_as("hello", "big", "[limits]\nmemory_bytes = 209715200\n").await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("big.run").id("b").submit(&json!({})).await?;
    let history = events.until_end("big.run.b").await?;
    history.assert_message(&["memory: 200M is more than the 184M this host allows"]);
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}

#[tokio::test]
async fn memory_of_a_waiting_request_is_given_to_a_job_that_needs_it() -> Test {
    /// A request waits for 30 s at a queue without jobs. If each job had to wait for the end of a request, these together would
    /// take longer than any wait may.
    const JOBS: usize = 4;
    let deployment = Deployment::start().await?;
    // The host has asked for two usual jobs when a job comes that needs the memory of both.
    let mut host = deployment.host(&["--memory", "300M"]).await?;
    deployment.push_as("hello", "big", "[limits]\nmemory_bytes = 209715200\n").await?;
    let client = deployment.client().await?;
    let running = async {
        for _ in 0..JOBS {
            let _: Value = client.task("big.run").submit(&json!({})).await?.result().await?;
        }
        anyhow::Ok(())
    };
    within("jobs that need memory which nobody uses", running).await??;
    host.check_alive()
}
