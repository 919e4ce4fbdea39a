//! Delayed jobs: they wait as schedules of the server, start not before their time, and run once.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use end_to_end::{Deployment, History, SCHEDULES, until_true};
use serde_json::{Value, json};
use wasmhost_client::ClientConfig;
use wasmhost_client::protocol::timestamp::Timestamp;

use super::Test;

/// A delay that is long enough for a test to inspect a job before it is due.
const DELAY: Duration = Duration::from_secs(2);

const ADA: &str = r#"{"name":"Ada"}"#;

fn time(value: &Value) -> anyhow::Result<Timestamp> {
    Timestamp::parse(value.as_str().unwrap_or_default()).with_context(|| format!("no time: {value}"))
}

/// When a job is due by its PENDING record. It checks that this is `delay` after the job was submitted.
fn due_after(delay: Duration, pending: &Value) -> anyhow::Result<Timestamp> {
    let submitted = time(&pending["submitted_at"])?;
    let due = time(&pending["not_before"])?;
    ensure!(due <= submitted.plus(delay) && due.plus(DELAY) > submitted.plus(delay), "{pending}");
    Ok(due)
}

/// Waits until a point in time for which there is no signal.
async fn until_past(instant: Instant) -> Test {
    until_true("a time to come", async || Ok(Instant::now() > instant)).await
}

/// Checks that a delayed job ran once, and not before its time.
fn ran_once_when_due(history: &History) -> Test {
    history.assert_states(["PENDING", "STARTED", "SUCCESS"]);
    history.assert_attempt(1).assert_result(json!({ "greeting": "Hello, Ada!" }));
    let last = history.last();
    let due = time(&history.0[0].record["not_before"])?;
    let started = time(&last["started_at"])?;
    ensure!(started >= due, "it started at {started}, before {due}");
    Ok(())
}

/// Checks that no message remains that could run anything again: what fired is gone when the queue is empty.
async fn no_message_remains(deployment: &Deployment) -> Test {
    deployment.until_queue_empty().await?;
    assert_eq!(deployment.messages(SCHEDULES).await?, 0, "schedules, and what they fired");
    Ok(())
}

#[tokio::test]
async fn a_delayed_job_shows_when_it_is_due_and_is_waited_for() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let arguments = ["submit", "hello.run", ADA, "--id", "d", "--delay", "2s", "--wait"];
    let mut waiting = deployment.command().follow(&arguments)?;
    let pending = events.until_state("hello.run.d", "PENDING").await?;
    let due = format!("due {}", due_after(DELAY, &pending)?);
    waiting.stderr.wait_for(&due).await?;
    let mut watching = deployment.command().follow(&["watch", "hello.run.d"])?;
    watching.stdout.wait_for(&due).await?;
    let jobs = deployment.wasmhost(&["jobs"]).await?;
    ensure!(jobs.ok()?.contains(&due), "{jobs}");
    let status = deployment.wasmhost(&["status", "hello.run.d"]).await?;
    let shown = status.ok()?.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(shown.contains(&due), "{status}");
    assert_eq!(waiting.end().await?, 0);
    assert_eq!(watching.end().await?, 0);
    assert_eq!(waiting.stdout.text().trim(), r#"{"greeting":"Hello, Ada!"}"#);
    ran_once_when_due(&events.until_end("hello.run.d").await?)?;
    no_message_remains(&deployment).await
}

#[tokio::test]
async fn a_job_is_submitted_for_a_time() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let now = deployment.wasmhost(&["submit", "hello.run", ADA, "--wait", "--json"]).await?.json()?;
    let at = time(&now["finished_at"])?.plus(DELAY).to_string();
    deployment.wasmhost(&["submit", "hello.run", ADA, "--id", "a", "--at", &at]).await?.ok()?;
    let history = events.until_end("hello.run.a").await?;
    assert_eq!(history.0[0].record["not_before"], json!(at), "{history}");
    ran_once_when_due(&history)
}

#[tokio::test]
async fn a_job_for_a_time_that_is_past_runs_at_once() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let past = ["submit", "hello.run", ADA, "--at", "2026-01-01T00:00:00Z", "--wait"];
    assert_eq!(deployment.wasmhost(&past).await?.ok()?, r#"{"greeting":"Hello, Ada!"}"#);
    Ok(())
}

#[tokio::test]
async fn a_time_that_cannot_be_meant_is_refused() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let refused = async |flags: &[&str], said: &str| {
        let arguments = [&["submit", "hello.run", ADA], flags].concat();
        deployment.wasmhost(&arguments).await?.refused(2, &[said])
    };
    refused(&["--delay", "1h", "--at", "2027-01-01T00:00:00Z"], "--at").await?;
    refused(&["--delay", "soon"], "soon").await?;
    refused(&["--at", "tomorrow"], "tomorrow").await?;
    refused(&["--at", "2300-01-01T00:00:00Z"], "2300-01-01").await?;
    assert_eq!(deployment.messages(SCHEDULES).await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_submit_service_takes_a_delay_or_a_time() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let outsider = deployment.outsider()?;
    let submit = async |id: &str, headers: &[(&str, &str)]| -> anyhow::Result<Value> {
        let subject = format!("wasmhost.submit.hello.run.{id}");
        Ok(serde_json::from_str(&outsider.req(&subject, headers, ADA).await?)?)
    };
    let answer = submit("d", &[("Wasmhost-Delay", "2s")]).await?;
    assert_eq!(answer["key"], "hello.run.d");
    assert_eq!(answer["state"], "PENDING");
    let due = due_after(DELAY, &events.until_state("hello.run.d", "PENDING").await?)?.to_string();
    submit("a", &[("Wasmhost-At", &due)]).await?;
    for key in ["hello.run.d", "hello.run.a"] {
        let history = events.until_end(key).await?;
        assert_eq!(history.0[0].record["not_before"], json!(due), "{history}");
        ran_once_when_due(&history)?;
    }
    let both = submit("b", &[("Wasmhost-Delay", "2s"), ("Wasmhost-At", &due)]).await?;
    let never = submit("n", &[("Wasmhost-At", "2300-01-01T00:00:00Z")]).await?;
    assert_eq!(both["kind"], "BadRequest");
    assert_eq!(never["kind"], "BadRequest");
    Ok(())
}

#[tokio::test]
async fn a_raw_job_has_no_delay_but_may_be_scheduled_by_hand() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let delay = [("Wasmhost-Delay", "2s")];
    deployment.publish("wasmhost.jobs.default.hello.run.bad", &delay, ADA).await?;
    let history = events.until_end("hello.run.bad").await?;
    history.assert_failure("BadJob").assert_message(&["Wasmhost-Delay"]);
    let at = time(&history.last()["finished_at"])?.plus(DELAY);
    let schedule = format!("@at {at}");
    let headers =
        [("Nats-Schedule", &*schedule), ("Nats-Schedule-Target", "wasmhost.due.default.hello.run.raw")];
    deployment.outsider()?.publish("wasmhost.schedules.default.hello.run.raw", &headers, ADA).await?;
    let history = events.until_end("hello.run.raw").await?;
    history.assert_states(["STARTED", "SUCCESS"]);
    ensure!(time(&history.last()["started_at"])? >= at, "{history}");
    Ok(())
}

#[tokio::test]
async fn the_same_job_twice_while_it_is_scheduled_runs_once() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let submit = ["submit", "hello.run", ADA, "--id", "d", "--delay", "2s"];
    let first = deployment.wasmhost(&submit).await?;
    let again = deployment.wasmhost(&submit).await?;
    assert_eq!(first.ok()?, again.ok()?);
    ran_once_when_due(&events.until_end("hello.run.d").await?)?;
    let ended = deployment.wasmhost(&[&submit[..], &["--json"]].concat()).await?.json()?;
    assert_eq!(ended["state"], "SUCCESS");
    no_message_remains(&deployment).await
}

#[tokio::test]
async fn a_client_that_never_hears_of_its_schedule_schedules_once() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let proxy = deployment.proxy().await?;
    let mut events = deployment.events().await?;
    let client = wasmhost_client::Client::connect(ClientConfig::new(proxy.url())).await?;
    let swallowed = proxy.swallow_answer("wasmhost.schedules.default.hello.run.", "Ada");
    let job = client.task("hello.run").id("d").delay(Duration::from_millis(500));
    job.submit(&json!({ "name": "Ada" })).await?;
    swallowed.happened().await?;
    ran_once_when_due(&events.until_end("hello.run.d").await?)?;
    no_message_remains(&deployment).await
}

#[tokio::test]
async fn a_job_that_was_due_while_everything_was_down_runs_once() -> Test {
    let (mut deployment, host) = Deployment::with_host(&["hello"]).await?;
    let client = deployment.client().await?;
    let task = client.task("hello.run").id("d").delay(DELAY);
    let job = task.submit(&json!({ "name": "Ada" })).await?;
    let due = Instant::now() + DELAY;
    host.kill().await?;
    deployment.server.kill()?;
    until_past(due).await?;
    deployment.server.restart()?;
    let mut events = deployment.events().await?;
    let _next = deployment.host(&[]).await?;
    let greeting: Value = job.result().await?;
    assert_eq!(greeting, json!({ "greeting": "Hello, Ada!" }));
    let history = events.until_end("hello.run.d").await?;
    history.assert_states(["STARTED", "SUCCESS"]).assert_attempt(1);
    no_message_remains(&deployment).await
}

#[tokio::test]
async fn a_job_revoked_while_it_is_scheduled_never_runs() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let submit = async |id| {
        let arguments = ["submit", "hello.run", ADA, "--id", id, "--delay", "2s"];
        deployment.wasmhost(&arguments).await?.ok().map(drop)
    };
    submit("unwanted").await?;
    deployment.wasmhost(&["revoke", "hello.run.unwanted", "--reason", "not needed"]).await?.ok()?;
    assert_eq!(deployment.messages(SCHEDULES).await?, 0, "its schedule is gone with it");
    // Due after it: once this one has run, the other one would have.
    submit("wanted").await?;
    ran_once_when_due(&events.until_end("hello.run.wanted").await?)?;
    let history = events.until_end("hello.run.unwanted").await?;
    history.assert_states(["PENDING", "REVOKED"]).assert_attempt(0);
    no_message_remains(&deployment).await
}

#[tokio::test]
async fn jobs_revoked_as_they_are_due_end_once_each() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let mut jobs = Vec::new();
    for n in 0..40 {
        let task = client.task("hello.run").id(&format!("r{n}")).delay(Duration::from_secs(1));
        jobs.push((task.submit(&json!({ "name": "Ada" })).await?, Instant::now() + Duration::from_secs(1)));
    }
    for (job, due) in &jobs {
        until_past(*due).await?;
        // One that has ended answers with its record.
        job.request_revoke(wasmhost_client::RevokeOptions::default()).await?;
    }
    for (job, _) in &jobs {
        let history = events.until_end(job.key().as_str()).await?;
        let attempt = &history.last()["attempt"];
        match &history.states()[..] {
            ["PENDING", "REVOKED"] => assert_eq!(attempt, 0, "{history}"),
            ["PENDING", "STARTED", "SUCCESS" | "REVOKED"] => assert_eq!(attempt, 1, "{history}"),
            _ => anyhow::bail!("{history}"),
        }
    }
    deployment.until_queue_empty().await
}
