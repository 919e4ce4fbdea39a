//! The registry of modules.

use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::Deployment;
use serde_json::{Value, json};

use super::Test;

async fn digest(deployment: &Deployment, module: &str) -> anyhow::Result<String> {
    let shown = deployment.wasmhost(&["module", "show", module, "--json"]).await?.json()?;
    Ok(shown["entry"]["digest"].as_str().context("no digest")?.to_owned())
}

#[tokio::test]
async fn a_pushed_module_is_listed_and_shown_with_its_tasks() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello", "thumbs"]).await?;
    let list = deployment.wasmhost(&["module", "list", "--json"]).await?.json_lines()?;
    let names: Vec<_> = list.iter().map(|module| module["name"].clone()).collect();
    assert_eq!(names, [json!("hello"), json!("thumbs")]);
    let shown = deployment.wasmhost(&["module", "show", "thumbs"]).await?;
    for part in ["resize", "describe", "transform", "width: u32", &digest(&deployment, "thumbs").await?] {
        ensure!(shown.ok()?.contains(part), "{part}: {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn a_rollback_makes_the_version_before_current_again() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    let client = deployment.client().await?;
    let run = async |arguments: Value| {
        client.task("tool.run").submit(&arguments).await?.raw_result().await.map_err(anyhow::Error::from)
    };
    deployment.push_as("hello", "tool", "").await?;
    let first = digest(&deployment, "tool").await?;
    run(json!({ "name": "Ada" })).await?;
    deployment.push_as("flaky", "tool", "").await?;
    let second = digest(&deployment, "tool").await?;
    assert_eq!(run(json!({ "fail_times": 0 })).await?.as_str(), r#"{"attempt":1}"#);
    let pinned = ["submit", "tool.run", r#"{"name":"Ada"}"#, "--digest", &first, "--wait"];
    assert_eq!(deployment.wasmhost(&pinned).await?.json()?, json!({ "greeting": "Hello, Ada!" }));
    deployment.wasmhost(&["module", "rollback", "tool"]).await?.ok()?;
    assert_eq!(digest(&deployment, "tool").await?, first);
    assert_eq!(run(json!({ "name": "Ada" })).await?.as_str(), r#"{"greeting":"Hello, Ada!"}"#);
    deployment.wasmhost(&["module", "rollback", "tool", "--to", &second]).await?.ok()?;
    assert_eq!(digest(&deployment, "tool").await?, second);
    Ok(())
}

#[tokio::test]
async fn jobs_of_a_removed_module_fail_until_it_is_pushed_again() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let submit = ["submit", "hello.run", "{}", "--wait"];
    deployment.wasmhost(&submit).await?.ok()?;
    deployment.wasmhost(&["module", "remove", "hello"]).await?.ok()?;
    deployment.wasmhost(&submit).await?.refused(2, &["no module `hello`", "wasmhost module push"])?;
    let unchecked = [&submit[..], &["--unchecked"]].concat();
    deployment.wasmhost(&unchecked).await?.refused(1, &["UnknownModule", "hello"])?;
    deployment.push("hello").await?;
    deployment.wasmhost(&submit).await?.ok()?;
    host.check_alive()
}

#[tokio::test]
async fn a_job_keeps_the_version_of_its_first_claim() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    deployment.push_as("flaky", "tool", "").await?;
    let first = digest(&deployment, "tool").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "fail_times": 1, "how": "retry", "after_ms": 2_000 });
    let job = deployment.client().await?.task("tool.run").id("k").timeout(Duration::from_secs(60));
    job.submit(&arguments).await?;
    events.until_state("tool.run.k", "RETRY").await?;
    // By this version's policy the job would be refused.
    deployment.push_as("hello", "tool", "[limits]\ntimeout = \"1s\"\n").await?;
    let history = events.until_end("tool.run.k").await?;
    history.assert_result(json!({ "attempt": 2 }));
    history.assert_field("digest", first);
    Ok(())
}
