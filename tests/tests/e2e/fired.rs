//! What schedules fired is neither lost nor run twice, whatever a crash makes the server forget, and is deleted when it ran.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    time::Duration,
};

use anyhow::{Context, ensure};
use end_to_end::{
    Deployment, JOBS, SCHEDULES, nats_server, number, oldest_nats_server, until, until_true, within,
};
use futures::TryStreamExt;
use serde_json::{Value, json};
use wasmhost_client::SubmitError;

use super::Test;

/// The reconciler makes a pass every second, so that a job without a message would be ended soon.
const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// How many jobs fire at a time. Half of them have no id.
const BATCH: usize = 6;

/// Schedules jobs that fire at once, each with a name of its own, and returns the names.
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

/// The keys of the jobs that greeted each name, by the records in the bucket.
async fn greeted(deployment: &Deployment) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let bucket = deployment.bucket("wasmhost-states").await?;
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
    until_true("the jobs that fired", async || {
        let greeted = greeted(deployment).await?;
        Ok(names.iter().all(|name| greeted.contains_key(name)))
    })
    .await
}

/// Publishes messages that take the room in the job stream from what waits for it.
async fn jump_the_queue(deployment: &Deployment) -> Test {
    let jobs = deployment.stream(JOBS).await?;
    for _ in 0..3 {
        let filler = jobs.get_last_raw_message_by_subject("wasmhost.jobs.nobody.hello.run").await?;
        jobs.delete_message(filler.sequence).await?;
        let took = async || Ok(deployment.publish("wasmhost.jobs.nobody.hello.run", &[], "{}").await.ok());
        until("room in the queue", took).await?;
    }
    Ok(())
}

/// Crashes the server twice: at a random moment while jobs fire and run, and while others wait for room in the queue.
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
    deployment.limit_queue(1).await?;
    names.extend(fire(&deployment, "wait").await?);
    until_true("the last schedule", async || {
        let schedules = deployment.stream(SCHEDULES).await?;
        let waiting: Vec<_> =
            schedules.info_with_subjects("wasmhost.schedules.>").await?.try_collect().await?;
        Ok(waiting.is_empty())
    })
    .await?;
    jump_the_queue(&deployment).await?;
    tokio::time::sleep(Duration::from_millis(rng.u64(0..500))).await;
    deployment.crash().await?;
    deployment.limit_queue(1_000).await?;
    until_greeted(&deployment, &names).await?;

    deployment.stream(JOBS).await?.purge().filter("wasmhost.jobs.nobody.>").await?;
    deployment.until_nothing_waits().await?;
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
    let program = oldest_nats_server()?;
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
        deployment.until_nothing_waits().await?;
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
    let mut accepted = Vec::new();
    let mut refused = 0;
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
    deployment.until_nothing_waits().await
}

#[tokio::test]
async fn what_fired_under_a_name_that_is_no_jobs_is_dead_lettered() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let bad =
        ["x", "default.hello", "default.hello.run.a.b", "default.hello.*", "default.hello.run.>", "No.m.f"];
    for (n, name) in bad.iter().enumerate() {
        deployment.publish(&format!("wasmhost.due.{name}"), &[], &n.to_string()).await?;
    }
    // One more message cannot be stored by the job stream, and another one waits behind it.
    let header = "y".repeat((1 << 16) - 60);
    deployment.publish("wasmhost.due.default.hello.run.long", &[("X", &header)], r#"{"name":"Ada"}"#).await?;
    deployment.publish("wasmhost.due.default.hello.run.behind", &[], r#"{"name":"Ada"}"#).await?;
    for id in ["long", "behind"] {
        let history = events.until_end(&format!("hello.run.{id}")).await?;
        history.assert_result(json!({ "greeting": "Hello, Ada!" }));
    }
    deployment.until_nothing_waits().await?;
    let letters = deployment.dead_letters().await?;
    let bodies: BTreeSet<_> = letters.iter().map(|letter| letter.body.clone()).collect();
    assert_eq!(bodies, (0..bad.len()).map(|n| n.to_string().into_bytes()).collect(), "{letters:#?}");
    assert_eq!(letters.len(), bad.len(), "{letters:#?}");
    host.check_alive()
}

#[tokio::test]
async fn jobs_whose_messages_were_removed_get_what_fired() -> Test {
    /// More jobs than one pass of the reconciler sees.
    const DELAYED: u64 = 300;
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    host.drain().await?;
    let mut jobs = Vec::new();
    for _ in 0..DELAYED {
        let task = client.task("hello.run").delay(Duration::from_millis(100));
        jobs.push(task.submit(&json!({ "name": "Ada" })).await?);
    }
    until_true("queued jobs", async || Ok(deployment.messages(JOBS).await? == DELAYED)).await?;
    deployment.purge_queue().await?;
    let _next = deployment.host(&FLAGS).await?;
    for job in jobs {
        let greeting: Value = within("a result", job.result()).await??;
        assert_eq!(greeting, json!({ "greeting": "Hello, Ada!" }));
    }
    deployment.until_nothing_waits().await
}

#[tokio::test]
async fn a_message_that_says_it_was_fired_takes_no_other_job_with_it() -> Test {
    // Newer servers refuse such a message.
    let program = oldest_nats_server()?;
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
    deployment.limit_queue(6).await?;
    let names = fire(&deployment, "real").await?;
    let _next = deployment.host(&FLAGS).await?;
    deployment.limit_queue(1_000).await?;
    until_greeted(&deployment, &names).await?;
    deployment.until_nothing_waits().await
}
