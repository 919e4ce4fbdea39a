//! What schedules fired: not lost and not run twice whatever the server forgets, and gone once it ran.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, stream};
use end_to_end::{Deployment, nats_server, number, oldest_nats_server, until, within};
use futures::TryStreamExt;
use serde_json::{Value, json};
use wasmhost_client::SubmitError;

use super::Test;

/// Short, so that what is gone would be missed soon.
const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// Jobs that fire at a time, half of them without an id.
const BATCH: usize = 6;

async fn stream(deployment: &Deployment, name: &str) -> anyhow::Result<stream::Stream> {
    Ok(jetstream::new(deployment.nats.clone()).get_stream(name).await?)
}

/// How many messages a stream holds.
async fn held(deployment: &Deployment, name: &str) -> anyhow::Result<u64> {
    Ok(stream(deployment, name).await?.cached_info().state.messages)
}

async fn nothing_is_left(deployment: &Deployment) -> Test {
    for name in ["WASMHOST_JOBS", "WASMHOST_SCHEDULES"] {
        let empty = async || Ok((held(deployment, name).await? == 0).then_some(()));
        until(&format!("an empty {name}"), empty).await?;
    }
    Ok(())
}

/// Lets the job stream hold so many messages.
async fn limit(deployment: &Deployment, messages: i64) -> Test {
    let mut config = stream(deployment, "WASMHOST_JOBS").await?.cached_info().config.clone();
    config.max_messages = messages;
    jetstream::new(deployment.nats.clone()).update_stream(config).await?;
    Ok(())
}

/// Schedules jobs that fire at once, each with a name of its own; the names.
async fn fire(deployment: &Deployment, batch: &str) -> anyhow::Result<Vec<String>> {
    let client = deployment.client().await?;
    let names: Vec<_> = (0..BATCH).map(|n| format!("{batch}-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        let arguments = json!({ "name": name });
        if n % 2 == 0 {
            let task = client.task("hello.run").id(name).delay(Duration::from_millis(300));
            task.submit(&arguments).await?;
        } else {
            let headers = [
                ("Nats-Schedule", "@at 2026-01-01T00:00:00Z"),
                ("Nats-Schedule-Target", "wasmhost.due.default.hello.run"),
            ];
            let subject = format!("wasmhost.schedules.{name}");
            deployment.publish(&subject, &headers, &arguments.to_string()).await?;
        }
    }
    Ok(names)
}

/// The keys of the jobs that greeted each name, as the bucket has them.
async fn greeted(deployment: &Deployment) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let bucket = jetstream::new(deployment.nats.clone()).get_key_value("wasmhost-states").await?;
    let keys: Vec<String> = bucket.keys().await?.try_collect().await?;
    let mut greeted: HashMap<String, Vec<String>> = HashMap::new();
    for key in keys {
        let record = deployment.record(&key).await?.unwrap_or_default();
        let greeting = record["result"]["greeting"].as_str();
        if let Some(name) = greeting.and_then(|text| text.strip_prefix("Hello, ")?.strip_suffix('!')) {
            greeted.entry(name.to_owned()).or_default().push(key);
        } else {
            ensure!(record["state"] != "FAILURE" && record["state"] != "REVOKED", "{record}");
        }
    }
    Ok(greeted)
}

async fn until_greeted(deployment: &Deployment, names: &[String]) -> Test {
    let all = async || {
        let greeted = greeted(deployment).await?;
        Ok(names.iter().all(|name| greeted.contains_key(name)).then_some(()))
    };
    until("the jobs that fired", all).await
}

/// Takes the job stream's only place from whatever waits for it.
async fn jump_the_queue(deployment: &Deployment) -> Test {
    let jobs = stream(deployment, "WASMHOST_JOBS").await?;
    for _ in 0..3 {
        let filler = jobs.get_last_raw_message_by_subject("wasmhost.jobs.nobody.hello.run").await?;
        jobs.delete_message(filler.sequence).await?;
        let took = async || Ok(deployment.publish("wasmhost.jobs.nobody.hello.run", &[], "{}").await.ok());
        until("a place in the queue", took).await?;
    }
    Ok(())
}

/// Two crashes of the server: at a random moment while jobs fire and run, and while others wait for room in the queue.
async fn survives(program: &Path, seed: u64) -> Test {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut deployment = Deployment::on(program).await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let mut names = fire(&deployment, "run").await?;
    tokio::time::sleep(Duration::from_millis(rng.u64(0..900))).await;
    deployment.crash().await?;
    until_greeted(&deployment, &names).await?;

    deployment.publish("wasmhost.jobs.nobody.hello.run", &[], "{}").await?;
    limit(&deployment, 1).await?;
    names.extend(fire(&deployment, "wait").await?);
    let due = async || {
        let schedules = stream(&deployment, "WASMHOST_SCHEDULES").await?;
        let left: Vec<_> = schedules.info_with_subjects("wasmhost.schedules.>").await?.try_collect().await?;
        Ok(left.is_empty().then_some(()))
    };
    until("the last schedule", due).await?;
    jump_the_queue(&deployment).await?;
    tokio::time::sleep(Duration::from_millis(rng.u64(0..500))).await;
    deployment.crash().await?;
    limit(&deployment, 1_000).await?;
    until_greeted(&deployment, &names).await?;

    stream(&deployment, "WASMHOST_JOBS").await?.purge().filter("wasmhost.jobs.nobody.>").await?;
    nothing_is_left(&deployment).await?;
    for (name, keys) in greeted(&deployment).await? {
        ensure!(keys.len() == 1, "{name} ran as {keys:?}");
    }
    host.check_alive()
}

async fn survives_seeds(program: &Path) -> Test {
    for seed in 0..number("WASMHOST_SEEDS", 1) {
        survives(program, seed).await.with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn what_fired_is_neither_lost_nor_doubled_by_crashes_of_the_newest_server() -> Test {
    survives_seeds(&nats_server()?).await
}

#[tokio::test]
async fn what_fired_is_neither_lost_nor_doubled_by_crashes_of_the_oldest_server() -> Test {
    let Some(program) = oldest_nats_server() else {
        eprintln!("skipped: no WASMHOST_OLDEST_NATS_SERVER; `cargo xtask test` installs and names it");
        return Ok(());
    };
    let deployment = Deployment::on(&program).await?;
    let (major, minor, patch) = wasmhost_nats::MINIMUM_SERVER;
    assert_eq!(deployment.nats.server_info().version, format!("{major}.{minor}.{patch}"));
    survives_seeds(&program).await
}

#[tokio::test]
async fn jobs_that_ran_leave_room_for_as_many_more() -> Test {
    let jobs = number("WASMHOST_DELAYED_JOBS", 900);
    // A seventh of it is for schedules: 8,000 jobs at 70 MB do not fit at once, but in turns.
    let storage = (jobs * 70_000_000 / 8_000).to_string();
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&["--storage", &storage]).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let name = "x".repeat(1 << 10);
    for turn in 0..3 {
        for n in 0..jobs / 3 {
            let task = client.task("hello.run").id(&format!("t{turn}-{n}")).delay(Duration::from_secs(1));
            match task.submit(&json!({ "name": name })).await {
                Ok(_) => {}
                Err(error @ SubmitError::QueueFull { .. }) => {
                    ensure!(false, "job {n} of turn {turn}: {error}")
                }
                Err(error) => return Err(error.into()),
            }
        }
        nothing_is_left(&deployment).await?;
    }
    Ok(())
}

#[tokio::test]
async fn large_jobs_delayed_at_the_same_time_all_run_or_are_refused() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&["--storage", "14M"]).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let arguments = json!({ "name": "x".repeat(500 << 10) });
    let submits = (0..12).map(async |n| {
        let task = client.task("hello.run").id(&format!("large-{n}")).delay(Duration::from_secs(2));
        task.submit(&arguments).await
    });
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for answer in futures::future::join_all(submits).await {
        match answer {
            Ok(job) => accepted.push(job),
            Err(SubmitError::QueueFull { .. }) => refused += 1,
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(accepted.len() + refused == 12 && accepted.len() > 3, "{} were accepted", accepted.len());
    for job in accepted {
        let _: Value = job.result().await?;
    }
    nothing_is_left(&deployment).await
}

/// What is kept for people of messages that are no jobs, as their reasons.
async fn buried(deployment: &Deployment) -> anyhow::Result<Vec<String>> {
    let dead = stream(deployment, "WASMHOST_DEAD").await?;
    let mut reasons = Vec::new();
    for sequence in 1..=dead.cached_info().state.last_sequence {
        let message = dead.get_raw_message(sequence).await?;
        let reason = message.headers.get("Wasmhost-Dead-Reason").map(ToString::to_string);
        reasons.push(format!("{} {}", String::from_utf8_lossy(&message.payload), reason.unwrap_or_default()));
    }
    Ok(reasons)
}

#[tokio::test]
async fn what_fired_under_a_name_that_is_no_jobs_is_kept_for_people() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let bad =
        ["x", "default.hello", "default.hello.run.a.b", "default.hello.*", "default.hello.run.>", "No.m.f"];
    for (n, name) in bad.iter().enumerate() {
        deployment.publish(&format!("wasmhost.due.{name}"), &[], &n.to_string()).await?;
    }
    // And one that the job stream cannot store, with what waits behind it.
    let header = "y".repeat((1 << 16) - 60);
    deployment.publish("wasmhost.due.default.hello.run.long", &[("X", &header)], r#"{"name":"Ada"}"#).await?;
    deployment.publish("wasmhost.due.default.hello.run.behind", &[], r#"{"name":"Ada"}"#).await?;
    for id in ["long", "behind"] {
        let history = events.until_end(&format!("hello.run.{id}")).await?;
        assert_eq!(history.last()["result"], json!({ "greeting": "Hello, Ada!" }), "{history}");
    }
    nothing_is_left(&deployment).await?;
    let mut reasons = buried(&deployment).await?;
    reasons.sort();
    assert_eq!(reasons.len(), bad.len(), "{reasons:#?}");
    for (n, reason) in reasons.iter().enumerate() {
        ensure!(reason.starts_with(&format!("{n} ")), "{reasons:#?}");
    }
    host.check_alive()
}

#[tokio::test]
async fn jobs_whose_messages_were_removed_get_what_fired() -> Test {
    /// More than one look of the reconciler sees.
    const JOBS: u64 = 300;
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    host.terminate()?;
    host.end().await?;
    let mut jobs = Vec::new();
    for _ in 0..JOBS {
        let task = client.task("hello.run").delay(Duration::from_millis(100));
        jobs.push(task.submit(&json!({ "name": "Ada" })).await?);
    }
    until("queued jobs", async || Ok((held(&deployment, "WASMHOST_JOBS").await? == JOBS).then_some(())))
        .await?;
    stream(&deployment, "WASMHOST_JOBS").await?.purge().await?;
    let _next = deployment.host(&FLAGS).await?;
    for job in jobs {
        let greeting: Value = within("a result", job.result()).await??;
        assert_eq!(greeting, json!({ "greeting": "Hello, Ada!" }));
    }
    nothing_is_left(&deployment).await
}

#[tokio::test]
async fn a_message_that_says_it_was_fired_takes_no_other_job_with_it() -> Test {
    let Some(program) = oldest_nats_server() else {
        eprintln!("skipped: newer servers refuse such a message; `cargo xtask test` installs an older one");
        return Ok(());
    };
    let deployment = Deployment::on(&program).await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    host.terminate()?;
    let forged = |sequence: u64| format!("WASMHOST_SCHEDULES {sequence} a b c");
    // The sequences that the next two schedules fire under, and one that is far ahead.
    for sequence in [3, 4, 1_000] {
        let source = forged(sequence);
        let headers = [("Nats-Stream-Source", &*source)];
        deployment.publish("wasmhost.jobs.default.hello.run", &headers, r#"{"name":"forged"}"#).await?;
        let subject = format!("wasmhost.jobs.default.hello.run.f{sequence}");
        deployment.publish(&subject, &headers, r#"{"name":"forged"}"#).await?;
    }
    limit(&deployment, 6).await?;
    let names = fire(&deployment, "real").await?;
    let _next = deployment.host(&FLAGS).await?;
    limit(&deployment, 1_000).await?;
    until_greeted(&deployment, &names).await?;
    nothing_is_left(&deployment).await
}
