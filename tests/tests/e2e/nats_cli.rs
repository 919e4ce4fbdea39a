//! The commands of the README for people who only have the `nats` command line.

use anyhow::ensure;
use end_to_end::Deployment;
use serde_json::{Value, json};

use super::Test;

#[tokio::test]
async fn a_request_to_the_job_subject_prints_the_streams_acknowledgement() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let subject = "wasmhost.jobs.default.hello.run.my-1";
    let answer = deployment.outsider()?.req(subject, &[], r#"{"name":"Ada"}"#).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    assert_eq!(answer["stream"], "WASMHOST_JOBS");
    assert_eq!(answer["seq"], 1);
    let history = events.until_end("hello.run.my-1").await?;
    history.assert_result(json!({ "greeting": "Hello, Ada!" }));
    Ok(())
}

#[tokio::test]
async fn the_bucket_can_be_watched_and_read() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello", "thumbs"]).await?;
    let outsider = deployment.outsider()?;
    let mut watch = outsider.kv_watch("wasmhost-states")?;
    outsider.publish("wasmhost.jobs.default.hello.run.my-2", &[], r#"{"name":"Ada"}"#).await?;
    watch
        .lines
        .until("SUCCESS in the bucket", |lines| {
            lines.iter().any(|line| line.contains("hello.run.my-2") && line.contains(r#""state":"SUCCESS""#))
        })
        .await?;
    let record: Value = serde_json::from_str(&outsider.kv_get("wasmhost-states", "hello.run.my-2").await?)?;
    assert_eq!(record["state"], "SUCCESS");
    assert_eq!(record["task"], "hello.run");
    let picture = include_str!("../../../guest-examples/thumbs/job.json");
    let answer: Value =
        serde_json::from_str(&outsider.req("wasmhost.submit.thumbs.resize", &[], picture).await?)?;
    let key = answer["key"].as_str().unwrap_or_default().to_owned();
    ensure!(key.starts_with("thumbs.resize."), "{answer}");
    watch
        .lines
        .until("a thumbnail", |lines| {
            lines.iter().any(|line| line.contains(&key) && line.contains(r#""state":"SUCCESS""#))
        })
        .await
        .map(drop)
}

#[tokio::test]
async fn the_events_can_be_subscribed_to() -> Test {
    let (deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let outsider = deployment.outsider()?;
    let mut events = outsider.sub("wasmhost.events.>", "wasmhost.events.knock.run.knock").await?;
    let body = r#"{"steps":3,"delay_ms":100}"#;
    outsider.publish("wasmhost.jobs.default.progress.run.my-3", &[("Wasmhost-Timeout", "30s")], body).await?;
    for state in ["STARTED", "PROGRESS", "SUCCESS"] {
        events.lines.wait_for(&format!(r#""state":"{state}""#)).await?;
    }
    Ok(())
}
