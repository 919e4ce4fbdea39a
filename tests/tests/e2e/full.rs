//! No room on the server: new jobs are refused by name, running jobs keep their outcomes until there is room, and nothing is lost.

use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::jetstream::stream;
use end_to_end::{BLOBS, Deployment, Events, STATES, Traffic, until_true};
use nats_server_child::Options;
use serde_json::{Value, json};
use wasmhost_client::{Client, SubmitError};

use super::{Test, blobs::host_with_margin};

/// The acknowledgement wait is short, so that a test sees that a job which waits for room is kept alive.
const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// Leaves a stream no room for one more byte.
async fn leave_no_room(deployment: &Deployment, name: &str) -> Test {
    let bytes = deployment.stream(name).await?.cached_info().state.bytes;
    deployment.edit_stream(name, |config| config.max_bytes = bytes.cast_signed()).await
}

/// Submits a job, and checks that it is refused for want of room with the setting that would give some.
async fn refused(client: &Client, id: &str, setting: &str) -> Test {
    let answer = client.task("storm.run").id(id).submit(&json!({})).await;
    ensure!(
        matches!(&answer, Err(error @ SubmitError::QueueFull { .. }) if error.to_string().contains(setting)),
        "{setting}: {answer:?}"
    );
    Ok(())
}

/// Submits a job that runs for a while, waits until it runs, and returns its key.
async fn running(client: &Client, events: &mut Events) -> anyhow::Result<String> {
    let arguments = json!({ "sleep_ms": 1_500, "result_bytes": 5_000 });
    let job = client.task("storm.run").id("running").submit(&arguments).await?;
    let key = job.key().to_string();
    events.until_state(&key, "STARTED").await?;
    Ok(key)
}

/// Longer than the acknowledgement wait of these flags.
const LONG: Duration = Duration::from_secs(3);

/// Waits until a host has tried to write the end of a job, and has kept the job for longer than its acknowledgement wait.
async fn until_kept(mut writes: Traffic, mut answers: Traffic) -> Test {
    writes.until_state("SUCCESS").await?;
    answers.until_alive_after(LONG).await
}

/// Waits until a host has tried to store a part of a result, and has kept the job for this long.
async fn until_result_kept(mut chunks: Traffic, mut answers: Traffic, time: Duration) -> Test {
    chunks.next("a part of a result").await?;
    answers.until_alive_after(time).await
}

async fn until_not_ready(deployment: &Deployment) -> Test {
    until_true("a host that says that it is not ready", async || {
        Ok(deployment.presences().await?.iter().any(|host| host["ready"] == false))
    })
    .await
}

async fn ends_once(events: &mut Events, key: &str) -> Test {
    events.until_end(key).await?.assert_success().assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn a_full_job_stream_refuses_jobs_and_takes_them_again_when_there_is_room() -> Test {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let audited = deployment.audited().await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    for id in ["a", "b"] {
        client.task("storm.run").id(id).queue("later").submit(&json!({})).await?;
        audited.accepted(&format!("storm.run.{id}"))?;
    }
    deployment.limit_queue(2).await?;
    refused(&client, "c", "`max_msgs` of the stream").await?;
    deployment
        .wasmhost(&["submit", "storm.run", "{}"])
        .await?
        .refused(75, &["queue default", "`max_msgs`", "try later"])?;
    let service = deployment.outsider()?.req("wasmhost.submit.storm.run", &[], "{}").await?;
    ensure!(service.contains("QueueFull"), "{service}");
    let refused = deployment.record("storm.run.c").await?;
    ensure!(refused.is_none(), "a refused job leaves no record: {refused:?}");
    drop(host);
    let _later = deployment.host(&["--queues", "default,later", "--ack-wait", "2s"]).await?;
    for id in ["a", "b"] {
        ends_once(&mut events, &format!("storm.run.{id}")).await?;
    }
    client.task("storm.run").id("c").submit(&json!({})).await?;
    audited.accepted("storm.run.c")?;
    ends_once(&mut events, "storm.run.c").await?;
    audited.prove().await
}

#[tokio::test]
async fn a_full_states_bucket_keeps_the_outcome_of_what_runs() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let audited = deployment.audited().await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let key = running(&client, &mut events).await?;
    audited.accepted(&key)?;
    let writes = deployment.writes(&key).await?;
    let answers = deployment.answers().await?;
    leave_no_room(&deployment, STATES).await?;
    refused(&client, "refused", "`max_bytes` of the stream").await?;
    deployment.publish("wasmhost.jobs.default.storm.run.raw", &[], "{}").await?;
    audited.accepted("storm.run.raw")?;
    until_kept(writes, answers).await?;
    host.check_warned()?;
    until_not_ready(&deployment).await?;
    deployment.edit_stream(STATES, |config| config.max_bytes = -1).await?;
    ends_once(&mut events, &key).await?;
    ends_once(&mut events, "storm.run.raw").await?;
    client.task("storm.run").id("refused").submit(&json!({})).await?;
    ends_once(&mut events, "storm.run.refused").await?;
    host.check_alive()?;
    audited.prove().await
}

#[tokio::test]
async fn a_result_that_waits_for_room_is_taken_over_by_nobody() -> Test {
    let deployment = Deployment::start().await?;
    // The first host has one slot, which the job takes: a second delivery would go to the other host.
    let mut host = deployment.host(&["--ack-wait", "6s", "--slots", "1"]).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    deployment.edit_stream(BLOBS, |config| config.max_bytes = 1_000).await?;
    let chunks = deployment.traffic("$O.wasmhost-blobs.C.>").await?;
    let answers = deployment.answers().await?;
    client.task("storm.run").id("big").submit(&json!({ "result_bytes": 200_000 })).await?;
    events.until_state("storm.run.big", "STARTED").await?;
    let _other = deployment.host(&["--ack-wait", "6s"]).await?;
    until_result_kept(chunks, answers, Duration::from_secs(9)).await?;
    deployment.edit_stream(BLOBS, |config| config.max_bytes = -1).await?;
    ends_once(&mut events, "storm.run.big").await?;
    host.check_alive()
}

#[tokio::test]
async fn a_full_account_keeps_the_outcome_of_what_runs() -> Test {
    const STORE: u64 = 24 << 20;
    let options = Options::default().max_store_bytes(STORE);
    let deployment = Deployment::with(&options).await?;
    let mut host = deployment.host(&[&FLAGS[..], &["--storage", "14M"]].concat()).await?;
    deployment.push("storm").await?;
    let audited = deployment.audited().await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let key = running(&client, &mut events).await?;
    audited.accepted(&key)?;
    let writes = deployment.writes(&key).await?;
    let answers = deployment.answers().await?;
    let filler = stream::Config {
        name: "FILLER".to_owned(),
        subjects: vec!["filler".to_owned()],
        ..Default::default()
    };
    let filler = deployment.jetstream().create_stream(filler).await?;
    fill(&deployment).await?;
    refused(&client, "refused", "`max_file_store` of the server").await?;
    until_kept(writes, answers).await?;
    filler.purge().await?;
    ends_once(&mut events, &key).await?;
    client.task("storm.run").id("refused").submit(&json!({})).await?;
    ends_once(&mut events, "storm.run.refused").await?;
    host.check_alive()?;
    audited.prove().await
}

/// Publishes smaller and smaller messages until the server has no room for any.
async fn fill(deployment: &Deployment) -> Test {
    for bytes in [512 << 10, 8 << 10, 256, 1] {
        while let Ok(sent) = deployment.jetstream().publish("filler", vec![0; bytes].into()).await {
            if sent.await.is_err() {
                break;
            }
        }
    }
    let info = deployment.jetstream().query_account().await.context("the account")?;
    ensure!(info.storage > 0, "{info:?}");
    Ok(())
}

#[tokio::test]
async fn a_result_that_the_blob_store_has_no_room_for_is_kept() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    deployment.edit_stream(BLOBS, |config| config.max_bytes = 1_000).await?;
    let chunks = deployment.traffic("$O.wasmhost-blobs.C.>").await?;
    let answers = deployment.answers().await?;
    let job = client.task("storm.run").id("big").submit(&json!({ "result_bytes": 200_000 })).await?;
    until_result_kept(chunks, answers, LONG).await?;
    deployment.edit_stream(BLOBS, |config| config.max_bytes = -1).await?;
    let result: Value = job.result().await?;
    assert_eq!(result["padding"].as_str().map(str::len), Some(200_000));
    ends_once(&mut events, "storm.run.big").await?;
    host.check_alive()
}

#[tokio::test]
async fn a_result_whose_record_was_long_in_being_written_is_there_as_long_as_the_record() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = host_with_margin(&deployment, 1_000).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let arguments = json!({ "sleep_ms": 1_500, "result_bytes": 200_000 });
    let job = client.task("storm.run").id("late").result_ttl(Duration::from_secs(5));
    let job = job.submit(&arguments).await?;
    let mut writes = deployment.writes("storm.run.late").await?;
    events.until_state("storm.run.late", "STARTED").await?;
    leave_no_room(&deployment, STATES).await?;
    writes.until_state("SUCCESS").await?;
    let first_blob = deployment.stream(BLOBS).await?.cached_info().state.first_sequence;
    until_true("the end of the blob that was stored first", async || {
        Ok(deployment.stream(BLOBS).await?.cached_info().state.first_sequence > first_blob)
    })
    .await?;
    deployment.edit_stream(STATES, |config| config.max_bytes = -1).await?;
    ends_once(&mut events, "storm.run.late").await?;
    let result: Value = job.result().await?;
    assert_eq!(result["padding"].as_str().map(str::len), Some(200_000));
    host.check_alive()
}
