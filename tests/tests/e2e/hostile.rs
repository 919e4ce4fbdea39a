//! Tasks that do what no task should do: each has its own error in its record, and the host goes on.

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Events};
use serde_json::{Value, json};

use super::Test;

/// Low limits, which are reached soon.
const POLICY: &str = r#"
[limits]
memory_bytes = 33554432
result_bytes = 1048576
cpu = "1s"
"#;

/// What a task does, with the kind of its failure and a part of the message.
const FAILURES: [(&str, &str, &str); 9] = [
    (r#"{"do":"panic"}"#, "Panicked", "a hostile panic"),
    (r#"{"do":"trap"}"#, "Trapped", "unreachable"),
    (r#"{"do":"exit0"}"#, "Exited", "exit(0) without a result"),
    (r#"{"do":"exit1"}"#, "Exited", "exit(1)"),
    (r#"{"do":"oom"}"#, "OutOfMemory", "33554432"),
    (r#"{"do":"stack"}"#, "Trapped", "stack overflow"),
    (r#"{"do":"spin"}"#, "CpuLimit", "1s"),
    (r#"{"do":"big-result","bytes":2000000}"#, "LimitExceeded", "1048576"),
    (r#"{"do":"nothing known"}"#, "Permanent", "wrong arguments"),
];

async fn end_of(events: &mut Events, key: &str) -> anyhow::Result<Value> {
    Ok(events.until_end(key).await?.last().clone())
}

#[tokio::test]
async fn every_way_to_break_has_its_own_kind_and_the_host_stays_up() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    deployment.push_as("hostile", "hostile", POLICY).await?;
    let mut events = deployment.events().await?;
    for (index, (body, _, _)) in FAILURES.iter().enumerate() {
        deployment.publish(&format!("wasmhost.jobs.default.hostile.run.{index}"), &[], body).await?;
    }
    for (index, (body, kind, message)) in FAILURES.iter().enumerate() {
        let history = events.until_end(&format!("hostile.run.{index}")).await.context(*body)?;
        history.assert_failure(kind).assert_message(&[message]).assert_attempt(1);
        ensure!(history.last()["usage"].is_object(), "{body}: {history}");
    }
    deployment.publish("wasmhost.jobs.default.hello.run.after", &[], "{}").await?;
    events.until_end("hello.run.after").await?.assert_success();
    host.check_alive()
}

/// This is apart from the others because under load a second of processor time can take longer than any short timeout.
#[tokio::test]
async fn a_sleep_in_a_host_call_is_stopped_at_the_timeout() -> Test {
    let (deployment, mut host) = Deployment::with_host(&[]).await?;
    deployment.push_as("hostile", "hostile", "[limits]\ntimeout = \"2s\"\n").await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.hostile.run.s", &[], r#"{"do":"sleep","ms":60000}"#).await?;
    let record = end_of(&mut events, "hostile.run.s").await?;
    let error = &record["error"];
    assert_eq!(error["kind"], "TimedOut", "{record}");
    assert_eq!(error["message"], "timed out after 2s", "{record}");
    // Not before the timeout, and not only when the sleep was over.
    ensure!(
        record["usage"]["wall_ms"].as_u64().is_some_and(|wall| (2_000..60_000).contains(&wall)),
        "{record}"
    );
    host.check_alive()
}

#[tokio::test]
async fn a_panic_comes_with_a_readable_backtrace_and_beside_it_its_last_lines() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.hostile.run.p", &[], r#"{"do":"panic"}"#).await?;
    let record = end_of(&mut events, "hostile.run.p").await?;
    let backtrace = record["error"]["backtrace"].as_str().context("no backtrace")?;
    ensure!(backtrace.contains("hostile::perform"), "names are demangled: {backtrace}");
    let stderr = record["error"]["stderr"].as_str().context("no standard error")?;
    ensure!(stderr.contains("panicked at") && !backtrace.contains("panicked at"), "{stderr}\n{backtrace}");
    Ok(())
}

#[tokio::test]
async fn a_guest_reaches_neither_environment_nor_files_nor_network() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let client = deployment.client().await?;
    let ask = async |deed: Value| -> anyhow::Result<Value> {
        Ok(client.task("hostile.run").submit(&deed).await?.result().await?)
    };
    assert_eq!(ask(json!({ "do": "env" })).await?["vars"], json!({}));
    let files = ask(json!({ "do": "fs" })).await?;
    let network =
        ask(json!({ "do": "net", "addr": format!("127.0.0.1:{}", deployment.server.port()) })).await?;
    for tried in [&files["read"], &files["list"], &files["write"], &network] {
        ensure!(tried["error"].is_string(), "{files} {network}");
    }
    Ok(())
}

#[tokio::test]
async fn states_that_are_not_a_tasks_to_set_are_refused_at_the_call() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let client = deployment.client().await?;
    for (deed, refused) in [
        (json!({ "do": "reserved-state" }), "invalid-state"),
        (json!({ "do": "big-meta" }), "too-large: 8192"),
    ] {
        let answer: String = client.task("hostile.run").submit(&deed).await?.result().await?;
        ensure!(answer.starts_with(refused), "{deed}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_change_of_the_states_name_is_never_skipped() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("hostile.run").id("s").submit(&json!({ "do": "states", "n": 30 })).await?;
    let history = events.until_end("hostile.run.s").await?;
    let changes = history.states().iter().filter(|state| ["EVEN", "ODD"].contains(state)).count();
    assert_eq!(changes, 30, "{history}");
    Ok(())
}
