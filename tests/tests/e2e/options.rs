//! What a job's headers and a module's policy change.

use std::time::Duration;

use anyhow::ensure;
use end_to_end::Deployment;
use serde_json::{Value, json};

use super::Test;

#[tokio::test]
async fn without_track_started_a_running_job_reads_pending() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    deployment.push_as("hello", "hello", "track_started = false\n").await?;
    let mut events = deployment.events().await?;
    deployment.client().await?.task("hello.run").id("t").submit(&json!({})).await?;
    let history = events.until_end("hello.run.t").await?;
    // The claim is written all the same.
    history.assert_revisions(["PENDING", "PENDING", "SUCCESS"]);
    assert_eq!(history.0[1].record["attempt"], 1, "{history}");
    Ok(())
}

#[tokio::test]
async fn a_result_ttl_of_zero_drops_the_result() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.hello.run.t", &[("Wasmhost-Result-TTL", "0")], "{}").await?;
    let history = events.until_end("hello.run.t").await?;
    let last = history.last();
    assert_eq!(last["state"], "SUCCESS", "{history}");
    assert_eq!(last["result"], Value::Null, "{history}");
    Ok(())
}

#[tokio::test]
async fn a_large_result_is_a_blob_and_reads_like_any_other() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "do": "big-result", "bytes": 1_000_000 });
    let job = deployment.client().await?.task("hostile.run").id("b").submit(&arguments).await?;
    let history = events.until_end("hostile.run.b").await?;
    let last = history.last();
    ensure!(last["result"].is_null() && last["result_ref"]["bytes"] == json!(1_000_002), "{last}");
    let text: String = job.result().await?;
    ensure!(text.len() == 1_000_000 && text.bytes().all(|byte| byte == b'x'), "{} bytes", text.len());
    let printed = deployment.wasmhost(&["result", "hostile.run.b"]).await?;
    assert_eq!(printed.ok()?.len(), 1_000_002);
    Ok(())
}

#[tokio::test]
async fn a_job_that_expired_in_its_queue_never_starts() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let past = "2026-01-01T00:00:00Z";
    deployment.publish("wasmhost.jobs.default.hello.run.e", &[("Wasmhost-Expires", past)], "{}").await?;
    let history = events.until_end("hello.run.e").await?;
    history.assert_states(["REVOKED"]);
    history.assert_attempt(0);
    Ok(())
}

#[tokio::test]
async fn a_jobs_own_timeout_is_shorter_than_the_policys() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("hostile.run").id("t").timeout(Duration::from_millis(500));
    job.submit(&json!({ "do": "sleep", "ms": 60_000 })).await?;
    let history = events.until_end("hostile.run.t").await?;
    history.assert_failure("TimedOut");
    Ok(())
}

#[tokio::test]
async fn a_header_over_the_policy_is_refused_and_named() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    deployment.push_as("hello", "hello", "[limits]\ntimeout = \"10s\"\n").await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.hello.run.t", &[("Wasmhost-Timeout", "11s")], "{}").await?;
    let history = events.until_end("hello.run.t").await?;
    let error = &history.last()["error"];
    assert_eq!(error["kind"], "BadJob", "{history}");
    ensure!(error["message"].as_str().is_some_and(|message| message.contains("Wasmhost-Timeout")), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_task_reads_its_configuration_and_what_its_job_is() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    deployment.push_as("hostile", "hostile", "[config]\ncolour = \"green\"\n").await?;
    let client = deployment.client().await?;
    let colour = client.task("hostile.run").submit(&json!({ "do": "config", "key": "colour" })).await?;
    assert_eq!(colour.result::<Value>().await?, json!("green"));
    let context =
        client.task("hostile.run").id("c").max_attempts(7).submit(&json!({ "do": "context" })).await?;
    let context: Value = context.result().await?;
    let seen = json!([
        context["id"],
        context["task"],
        context["queue"],
        context["attempt"],
        context["max_attempts"]
    ]);
    assert_eq!(seen, json!(["c", "hostile.run", "default", 1, 7]), "{context}");
    Ok(())
}
