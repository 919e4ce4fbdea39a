//! A record that has expired frees its id.

use std::time::Duration;

use end_to_end::{Deployment, Events, History};
use serde_json::{Value, json};

use super::Test;

/// Waits for the end of the second use of an id.
async fn until_second_end(events: &mut Events, key: &str) -> anyhow::Result<History> {
    let history = events.until(key, |history| history.ends() == 2).await?;
    history.check()?;
    Ok(history)
}

#[tokio::test]
async fn an_expired_id_can_be_submitted_again_by_the_client() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let submit = async |name: &str| {
        let job = client.task("hello.run").id("again").result_ttl(Duration::from_secs(1));
        job.submit(&json!({ "name": name })).await
    };
    submit("Ada").await?;
    events.until_deleted("hello.run.again").await?;
    let job = submit("Bob").await?;
    let history = until_second_end(&mut events, &job.key().to_string()).await?;
    history.assert_states(["PENDING", "STARTED", "SUCCESS", "-", "PENDING", "STARTED", "SUCCESS"]);
    history.assert_result(json!({ "greeting": "Hello, Bob!" }));
    Ok(())
}

#[tokio::test]
async fn an_expired_id_can_be_submitted_again_raw() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let subject = "wasmhost.jobs.default.hello.run.again";
    let submit = async |body: &str| deployment.publish(subject, &[("Wasmhost-Result-TTL", "1s")], body).await;
    submit(r#"{"name":"Ada"}"#).await?;
    events.until_deleted("hello.run.again").await?;
    submit(r#"{"name":"Bob"}"#).await?;
    let history = until_second_end(&mut events, "hello.run.again").await?;
    history.assert_states(["STARTED", "SUCCESS", "-", "STARTED", "SUCCESS"]);
    history.assert_result(json!({ "greeting": "Hello, Bob!" }));
    Ok(())
}

#[tokio::test]
async fn a_forgotten_job_is_not_found_and_its_id_is_free() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let client = deployment.client().await?;
    let job = client.task("hello.run").id("f").submit(&json!({ "name": "Ada" })).await?;
    let _: Value = job.result().await?;
    job.forget().await?;
    deployment.wasmhost(&["status", "hello.run.f"]).await?.refused(66, &["hello.run.f"])?;
    let job = client.task("hello.run").id("f").submit(&json!({ "name": "Bob" })).await?;
    let greeting: Value = job.result().await?;
    assert_eq!(greeting, json!({ "greeting": "Hello, Bob!" }));
    Ok(())
}
