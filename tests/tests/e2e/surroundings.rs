//! What may be wrong around a host: clocks, disks, deploys, other versions, operators.

use std::fs;
use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Events, Host, JOBS, guest, until_true, within};
use futures::future::try_join_all;
use serde_json::{Value, json};
use wasmhost_client::{Client, ResultError};

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// Submits this many jobs of `storm.run`, and returns their keys.
async fn submit(client: &Client, count: usize, arguments: Value) -> anyhow::Result<Vec<String>> {
    let submitting = (0..count).map(|_| client.task("storm.run").submit(&arguments));
    Ok(try_join_all(submitting).await?.iter().map(|job| job.key().to_string()).collect())
}

/// Waits for the end of all of these jobs, and returns how many ended in this state.
async fn ends(events: &mut Events, keys: &[String], state: &str) -> anyhow::Result<usize> {
    let mut count = 0;
    for key in keys {
        count += usize::from(events.until_end(key).await?.last()["state"] == state);
    }
    Ok(count)
}

/// Starts a host whose clock goes as `clock` says.
async fn host_with_clock(deployment: &Deployment, clock: &str) -> anyhow::Result<Host> {
    deployment.faulty_host(&format!("clock={clock}"), &FLAGS).await
}

#[tokio::test]
async fn clocks_that_differ_or_jump_change_no_end() -> Test {
    let deployment = Deployment::start().await?;
    let _ahead = host_with_clock(&deployment, "return(5000)").await?;
    let _behind = host_with_clock(&deployment, "return(-5000)").await?;
    let _jumping = host_with_clock(&deployment, "200*return(0)->200*return(4000)->return(-4000)").await?;
    deployment.push_as("storm", "storm", "[retry]\nmax_attempts = 3\ninitial_delay = \"10ms\"\n").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let good = submit(&client, 40, json!({ "sleep_ms": 300, "steps": 3, "fail_times": 1 })).await?;
    let bad = submit(&client, 10, json!({ "fail_times": 9 })).await?;
    assert_eq!(ends(&mut events, &good, "SUCCESS").await?, good.len());
    assert_eq!(ends(&mut events, &bad, "FAILURE").await?, bad.len());
    for key in good.iter().chain(&bad) {
        let last = events.so_far(key).last().clone();
        assert_eq!(last["lost"], 0, "no claim was taken from a healthy host: {last}");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_whose_disk_fails_runs_jobs_all_the_same() -> Test {
    let deployment = Deployment::start().await?;
    let cache = deployment.directory("cache");
    let mut host = deployment.host(&[&FLAGS[..], &["--cache-dir", &cache]].concat()).await?;
    fs::remove_dir_all(&cache)?;
    fs::write(&cache, "no directory")?;
    deployment.push("storm").await?;
    let result: Value =
        deployment.client().await?.task("storm.run").submit(&json!({})).await?.result().await?;
    assert_eq!(result["attempt"], 1);
    host.check_alive()
}

#[tokio::test]
async fn a_rolling_restart_loses_and_charges_nothing() -> Test {
    let deployment = Deployment::start().await?;
    let flags = [&FLAGS[..], &["--grace", "200ms", "--slots", "16"]].concat();
    let mut hosts = vec![deployment.host(&flags).await?, deployment.host(&flags).await?];
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let keys = submit(&deployment.client().await?, 60, json!({ "sleep_ms": 800, "steps": 4 })).await?;
    for _ in 0..2 {
        events.until_state(keys.first().context("a job")?, "STARTED").await?;
        let mut old = hosts.remove(0);
        old.terminate()?;
        hosts.push(deployment.host(&flags).await?);
        old.until_drained().await?;
    }
    assert_eq!(ends(&mut events, &keys, "SUCCESS").await?, keys.len());
    for key in &keys {
        let last = events.so_far(key).last().clone();
        assert_eq!(last["lost"], 0, "{last}");
        assert_eq!(last["charged"], 1, "{last}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_purged_under_load_leaves_no_job_without_an_end() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&[&FLAGS[..], &["--slots", "4"]].concat()).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let keys = submit(&deployment.client().await?, 100, json!({ "sleep_ms": 200 })).await?;
    events.until_state(keys.first().context("a job")?, "STARTED").await?;
    deployment.purge_queue().await?;
    let succeeded = ends(&mut events, &keys, "SUCCESS").await?;
    ensure!(succeeded > 0 && succeeded < keys.len(), "{succeeded} ran before the purge or in spite of it");
    for key in &keys {
        let last = events.so_far(key).last().clone();
        let ended = last["state"] == "SUCCESS" || last["error"]["kind"] == "NotPublished";
        ensure!(ended, "whoever was claimed runs to its end, the others never start: {last}");
    }
    Ok(())
}

#[tokio::test]
async fn a_consumer_that_is_made_anew_under_load_runs_no_job_twice_at_a_cost() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&[&FLAGS[..], &["--slots", "16"]].concat()).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let keys = submit(&deployment.client().await?, 100, json!({ "sleep_ms": 300, "steps": 3 })).await?;
    for round in 0..3 {
        events.until_state(&keys[round * 16], "STARTED").await?;
        deployment.delete_consumer("default").await?;
    }
    assert_eq!(ends(&mut events, &keys, "SUCCESS").await?, keys.len());
    for key in &keys {
        let last = events.so_far(key).last().clone();
        assert_eq!(last["lost"], 0, "{last}");
        assert_eq!(last["attempt"], 1, "{last}");
    }
    Ok(())
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_kept_for_a_newer_host() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let client = deployment.client().await?;
    client.task("storm.run").id("newer").queue("later").submit(&json!({})).await?;
    let bucket = deployment.bucket("wasmhost-states").await?;
    let mut record = deployment.known_record("storm.run.newer").await?;
    record["v"] = json!(2);
    let revision = bucket.put("storm.run.newer", record.to_string().into()).await?;
    let mut later = deployment.host(&[&FLAGS[..], &["--queues", "later"]].concat()).await?;
    let next = client.task("storm.run").id("next").queue("later").submit(&json!({})).await?;
    let _: Value = next.result().await?;
    deployment.reconciler("later").await?.until_passes(5).await?;
    let entry = bucket.entry("storm.run.newer").await?.context("its record")?;
    assert_eq!(entry.revision, revision, "nobody wrote over it");
    assert_eq!(deployment.messages(JOBS).await?, 1, "its message still waits");
    later.check_alive()
}

#[tokio::test]
async fn sixteen_compilations_at_once_miss_no_beat() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("progress").await?;
    let component = fs::read(guest("hello"))?;
    for number in 0..16_u8 {
        // A custom section of its own makes it another version, which nobody has compiled yet.
        let section = [&[0, 2, 1], &[b'a' + number][..]].concat();
        let file = deployment.file(&format!("hello-{number}.wasm"), &[&component[..], &section].concat())?;
        let file = file.display().to_string();
        let name = format!("hello-{number}");
        deployment.wasmhost(&["module", "push", &file, "--name", &name]).await?.ok()?;
    }
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let steady =
        client.task("progress.run").id("steady").submit(&json!({ "steps": 80, "delay_ms": 50 })).await?;
    events.until_state("progress.run.steady", "PROGRESS").await?;
    let tasks: Vec<_> = (0..16).map(|number| format!("hello-{number}.run")).collect();
    let arguments = json!({});
    let jobs = try_join_all(tasks.iter().map(|task| client.task(task).submit(&arguments))).await?;
    for job in jobs {
        let _: Value = job.result().await?;
    }
    let _: Value = steady.result().await?;
    let history = events.until_end("progress.run.steady").await?;
    // No lease was lost: a lost one would have cost a second attempt, and a lapsed one a sign of life.
    history.assert_success().assert_attempt(1).assert_lost(0);
    host.check_alive()
}

#[tokio::test]
async fn tasks_that_exhaust_their_memory_disturb_no_neighbour() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hostile", "hello"]).await?;
    let client = deployment.client().await?;
    let oom = json!({ "do": "oom" });
    let greedy = try_join_all((0..16).map(|_| client.task("hostile.run").submit(&oom))).await?;
    let arguments = json!({});
    let modest = try_join_all((0..50).map(|_| client.task("hello.run").submit(&arguments))).await?;
    for job in modest {
        let _: Value = job.result().await?;
    }
    for job in greedy {
        let ended = job.result::<Value>().await;
        ensure!(format!("{ended:?}").contains("OutOfMemory"), "{ended:?}");
    }
    host.check_alive()
}

#[tokio::test]
async fn a_result_that_expires_while_a_client_waits_is_a_result_or_not_found() -> Test {
    let (deployment, _host) = Deployment::with_host(&["storm"]).await?;
    let client = deployment.client().await?;
    let job =
        client.task("storm.run").id("short").result_ttl(Duration::from_secs(1)).submit(&json!({})).await?;
    let mut states = job.watch().await?;
    until_true("a record that has expired", async || {
        Ok(deployment.record("storm.run.short").await?.is_none())
    })
    .await?;
    let mut last = None;
    while let Some(record) = within("the end of a watch", states.next()).await? {
        last = Some(record.label().to_string());
    }
    ensure!(last.is_some(), "a watch begins with the record that there was");
    let answer = within("an answer", client.job(job.key()).result::<Value>()).await?;
    ensure!(matches!(answer, Err(ResultError::NotFound { .. })), "{answer:?}");
    // Who submitted the job was told its result before.
    within("an answer", job.result::<Value>()).await??;
    Ok(())
}
