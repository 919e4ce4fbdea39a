//! The operator's ceilings: what asks for more is refused by name, and is never reduced silently.

use anyhow::ensure;
use end_to_end::{Deployment, Events, History, guest_path};
use serde_json::{Value, json};
use wasmhost_client::protocol::policy::{Limits, Policy, RetryPolicy};

use super::Test;

/// Waits for the end of a job, and checks that it was refused at its claim with these texts.
async fn refused(events: &mut Events, key: &str, texts: &[&str]) -> Test {
    events.until_end(key).await?.assert_failure("BadJob").assert_attempt(0).assert_message(texts);
    Ok(())
}

#[tokio::test]
async fn a_policy_over_the_ceiling_is_refused_with_every_setting_and_both_values() -> Test {
    let (deployment, mut host) = Deployment::with_host(&[]).await?;
    let mut events = deployment.events().await?;
    let usual = Limits::default();
    // What a publisher may write into the registry past every client.
    let policy = Policy {
        limits: Limits { memory_bytes: 1 << 30, meta_bytes: 256 << 10, updates_per_second: 1_000, ..usual },
        retry: RetryPolicy { max_attempts: Some(1_000_000), ..RetryPolicy::default() },
        ..Policy::default()
    };
    deployment.push_cold("hello", "greedy", end_to_end::version_of("hello")?, policy).await?;
    let client = deployment.client().await?;
    client.task("greedy.run").id("g").submit(&json!({})).await?;
    let words = [
        "memory: 1G is more than the 512M this host allows",
        "meta: 256K is more than the 64K this host allows",
        "updates-per-second: 1000 is more than the 100 this host allows",
        "max-attempts: 1000000 is more than the 1000 this host allows",
    ];
    refused(&mut events, "greedy.run.g", &words).await?;
    let headers = [("Wasmhost-Max-Attempts", "1001")];
    deployment.publish("wasmhost.jobs.default.hello.run.h", &headers, "{}").await?;
    let word = "Wasmhost-Max-Attempts: 1001 is more than the 1000 this host allows";
    refused(&mut events, "hello.run.h", &[word]).await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}

#[tokio::test]
async fn an_operator_raises_and_lowers_ceilings() -> Test {
    let deployment = Deployment::start().await?;
    let text = "[ceiling.limits]\nmemory = \"1G\"\ntimeout = \"1m\"\n[ceiling.retry]\nmax-attempts = 2\n";
    let config = deployment.file("host.toml", text.as_bytes())?.display().to_string();
    let mut host = deployment.host(&["--config", &config]).await?;
    let mut events = deployment.events().await?;
    deployment.push_as("hello", "large", "[limits]\nmemory_bytes = 1073741824\ntimeout = \"1m\"\n").await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let _: Value = client.task("large.run").submit(&json!({})).await?.result().await?;
    client.task("hello.run").id("h").submit(&json!({})).await?;
    refused(&mut events, "hello.run.h", &["timeout: 5m is more than the 1m this host allows"]).await?;
    host.check_alive()
}

#[tokio::test]
async fn a_job_that_asks_to_be_tried_at_once_for_ever_is_no_hot_loop() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    let mut events = deployment.events().await?;
    let policy = "[retry]\nmax_attempts = 1000\ninitial_delay = \"0\"\nmax_delay = \"0\"\n";
    deployment.push_as("flaky", "flaky", policy).await?;
    let arguments = json!({ "fail_times": 1_000_000 });
    deployment.client().await?.task("flaky.run").id("f").submit(&arguments).await?;
    let retries = |history: &History| {
        history.0.last().is_some_and(|last| last.state() == "RETRY" && last.record["attempt"] == 11)
    };
    let history = events.until("flaky.run.f", retries).await?;
    let last = history.last();
    let at = &last["updated_at"];
    let until = &last["not_before"];
    let second = |time: &Value| time.as_str().map(|text| text[17..23].to_owned());
    // A second later to the millisecond: only the seconds differ.
    ensure!(
        second(at) != second(until)
            && second(at).map(|s| s[2..].to_owned()) == second(until).map(|s| s[2..].to_owned()),
        "{last}"
    );
    deployment.wasmhost(&["revoke", "flaky.run.f"]).await?.ok()?;
    Ok(())
}

#[tokio::test]
async fn a_local_run_has_the_memory_that_its_policy_says() -> Test {
    let deployment = Deployment::start().await?;
    let policy =
        deployment.file("policy.toml", b"[limits]\nmemory_bytes = 629145600\n")?.display().to_string();
    let component = guest_path("hostile")?;
    let ran = deployment.wasmhost(&["run", &component, r#"{"do":"oom"}"#, "--policy", &policy]).await?;
    ran.refused(1, &["OutOfMemory", "the limit is 629145600 bytes"])
}
