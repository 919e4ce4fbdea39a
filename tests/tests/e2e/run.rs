//! From a submission to SUCCESS.

use anyhow::ensure;
use end_to_end::Deployment;
use serde_json::{Value, json};
use wasmhost_client::SubmitError;

use super::Test;

#[tokio::test]
async fn hello_runs_to_success_and_the_client_reads_its_result() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let job = deployment.client().await?.task("hello.run").submit(&json!({ "name": "Ada" })).await?;
    let greeting: Value = job.result().await?;
    assert_eq!(greeting, json!({ "greeting": "Hello, Ada!" }));
    let history = events.until_end(&job.key().to_string()).await?;
    history.assert_revisions(["PENDING", "STARTED", "SUCCESS"]);
    assert!(job.successful().await? && job.ready().await? && !job.failed().await?);
    host.check_alive()
}

#[tokio::test]
async fn a_typed_task_takes_and_returns_values_of_its_types() -> Test {
    let (deployment, _host) = Deployment::with_host(&["thumbs"]).await?;
    let client = deployment.client().await?;
    let picture: Value = serde_json::from_str(include_str!("../../../guest-examples/thumbs/job.json"))?;
    let small: String = client.task("thumbs.resize").submit(&picture).await?.result().await?;
    let facts: Value = client.task("thumbs.describe").submit(&json!([small])).await?.result().await?;
    assert_eq!(facts["width"], picture["width"]);
    let steps = json!({ "image": small, "steps": ["grayscale", { "rotate": "once" }] });
    let grey: String = client.task("thumbs.transform").submit(&steps).await?.result().await?;
    let facts: Value =
        client.task("thumbs.describe").submit(&json!({ "image": grey })).await?.result().await?;
    ensure!(facts["colour"].as_str().is_some_and(|colour| colour.starts_with("grey")), "{facts}");
    Ok(())
}

#[tokio::test]
async fn a_raw_job_runs_under_an_id_derived_from_the_stream() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let body = r#"{"name":"Ada"}"#;
    deployment.outsider()?.publish("wasmhost.jobs.default.hello.run", &[], body).await?;
    let key = events.until_any("hello.run").await?;
    let history = events.until_end(&key).await?;
    // The first record of a raw job is STARTED.
    history.assert_states(["STARTED", "SUCCESS"]).assert_result(json!({ "greeting": "Hello, Ada!" }));
    let stamp = key.strip_prefix("hello.run.s1-").map(str::parse::<u64>);
    ensure!(matches!(stamp, Some(Ok(_))), "{key} is not derived from the first message of the stream");
    Ok(())
}

#[tokio::test]
async fn the_message_of_a_job_that_ended_is_gone() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let client = deployment.client().await?;
    for id in ["one", "two"] {
        let _: Value = client.task("hello.run").id(id).submit(&json!({})).await?.result().await?;
    }
    deployment.until_queue_empty().await
}

#[tokio::test]
async fn the_same_id_is_the_same_job_and_other_arguments_are_a_conflict() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    for text in [r#"{"name":"Ada"}"#, r#" { "name" : "Ada" } "#, r#"{"n\u0061me":"\u0041da"}"#] {
        let job = client.task("hello.run").id("once").submit_json(text).await?;
        assert_eq!(job.key().to_string(), "hello.run.once");
    }
    let other = client.task("hello.run").id("once").submit(&json!({ "name": "Bob" })).await;
    ensure!(matches!(other, Err(SubmitError::Conflict { .. })), "{other:?}");
    let last = client.task("hello.run").id("last").submit(&json!({})).await?;
    events.until_end(&last.key().to_string()).await?;
    let history = events.until_end("hello.run.once").await?;
    history.assert_success().assert_attempt(1);
    Ok(())
}
