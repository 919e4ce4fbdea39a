//! No room: new jobs are refused by name, what runs keeps its outcome until there is room, and nothing is lost.

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, stream};
use end_to_end::{Deployment, Events, Host, until};
use nats_server_child::Options;
use serde_json::{Value, json};
use wasmhost_client::{Client, SubmitError};

use super::{Test, blobs::host_with_margin};

/// Beats often, so that a test sees that a job which waits for room is held on to.
const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

fn jetstream(deployment: &Deployment) -> jetstream::Context {
    jetstream::new(deployment.nats.clone())
}

/// Changes the configuration of a stream.
async fn edit(deployment: &Deployment, name: &str, change: impl FnOnce(&mut stream::Config)) -> Test {
    let stream = jetstream(deployment).get_stream(name).await?;
    let mut config = stream.cached_info().config.clone();
    change(&mut config);
    jetstream(deployment).update_stream(config).await?;
    Ok(())
}

/// Leaves a stream no room for a byte more than it has now.
async fn leave_no_room(deployment: &Deployment, name: &str) -> Test {
    let bytes = jetstream(deployment).get_stream(name).await?.cached_info().state.bytes;
    edit(deployment, name, |config| config.max_bytes = bytes.cast_signed()).await
}

/// A job that is refused for want of room, with the setting that would give some.
async fn refused(client: &Client, id: &str, setting: &str) -> Test {
    let answer = client.task("storm.run").id(id).submit(&json!({})).await;
    ensure!(
        matches!(&answer, Err(error @ SubmitError::QueueFull { .. }) if error.to_string().contains(setting)),
        "{setting}: {answer:?}"
    );
    Ok(())
}

/// A job that runs until its outcome is due; its key.
async fn running(client: &Client, events: &mut Events) -> anyhow::Result<String> {
    let arguments = json!({ "sleep_ms": 1_500, "result_bytes": 5_000 });
    let job = client.task("storm.run").id("running").submit(&arguments).await?;
    let key = job.key().to_string();
    events.until_state(&key, "STARTED").await?;
    Ok(key)
}

/// How often a host has tried to record what there is no room for.
fn tries(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains("could not record an outcome")).count()
}

/// How often a host has tried to store a result that there is no room for.
fn untold(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains("could not store a result")).count()
}

/// Waits until the host has held on to an outcome for longer than ack_wait.
async fn until_kept(host: &mut Host) -> Test {
    host.log.until("an outcome that is kept", |lines| tries(lines) >= 4).await.map(drop)
}

async fn until_not_ready(deployment: &Deployment) -> Test {
    until("a host that says that it is not ready", async || {
        let hosts = deployment.wasmhost(&["hosts", "--json"]).await?.json_lines()?;
        Ok(hosts.iter().any(|host| host["ready"] == false).then_some(()))
    })
    .await
}

async fn ends_once(events: &mut Events, key: &str) -> Test {
    let history = events.until_end(key).await?;
    let last = history.last();
    assert_eq!((&last["state"], &last["attempt"]), (&json!("SUCCESS"), &json!(1)), "{history}");
    Ok(())
}

#[tokio::test]
async fn a_full_job_stream_refuses_jobs_and_takes_them_again_when_there_is_room() -> Test {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("storm").await?;
    let (audited, mut events) = (deployment.audited().await?, deployment.events().await?);
    let client = deployment.client().await?;
    for id in ["a", "b"] {
        client.task("storm.run").id(id).queue("later").submit(&json!({})).await?;
        audited.accepted(&format!("storm.run.{id}"))?;
    }
    edit(&deployment, "WASMHOST_JOBS", |config| config.max_messages = 2).await?;
    refused(&client, "c", "`max_msgs` of the stream").await?;
    deployment
        .wasmhost(&["submit", "storm.run", "{}"])
        .await?
        .refused(75, &["queue default", "`max_msgs`", "try later"])?;
    let service = deployment.outsider().req("wasmhost.submit.storm.run", &[], "{}").await?;
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
    let (audited, mut events) = (deployment.audited().await?, deployment.events().await?);
    let client = deployment.client().await?;
    let key = running(&client, &mut events).await?;
    audited.accepted(&key)?;
    leave_no_room(&deployment, "KV_wasmhost-states").await?;
    refused(&client, "refused", "`max_bytes` of the stream").await?;
    deployment.publish("wasmhost.jobs.default.storm.run.raw", &[], "{}").await?;
    audited.accepted("storm.run.raw")?;
    until_kept(&mut host).await?;
    until_not_ready(&deployment).await?;
    edit(&deployment, "KV_wasmhost-states", |config| config.max_bytes = -1).await?;
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
    // Its one slot is taken: what is delivered again goes to the other.
    let mut host = deployment.host(&["--ack-wait", "6s", "--slots", "1"]).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    edit(&deployment, "OBJ_wasmhost-blobs", |config| config.max_bytes = 1_000).await?;
    client.task("storm.run").id("big").submit(&json!({ "result_bytes": 200_000 })).await?;
    events.until_state("storm.run.big", "STARTED").await?;
    let _other = deployment.host(&["--ack-wait", "6s"]).await?;
    host.log.until("a result kept for longer than ack_wait", |lines| untold(lines) >= 9).await?;
    edit(&deployment, "OBJ_wasmhost-blobs", |config| config.max_bytes = -1).await?;
    ends_once(&mut events, "storm.run.big").await?;
    host.check_alive()
}

#[tokio::test]
async fn a_full_account_keeps_the_outcome_of_what_runs() -> Test {
    const STORE: u64 = 24 << 20;
    let options = Options { max_store_bytes: Some(STORE), ..Options::default() };
    let deployment = Deployment::with(&options).await?;
    let mut host = deployment.host(&[&FLAGS[..], &["--storage", "14M"]].concat()).await?;
    deployment.push("storm").await?;
    let (audited, mut events) = (deployment.audited().await?, deployment.events().await?);
    let client = deployment.client().await?;
    let key = running(&client, &mut events).await?;
    audited.accepted(&key)?;
    let filler = stream::Config {
        name: "FILLER".to_owned(),
        subjects: vec!["filler".to_owned()],
        ..Default::default()
    };
    let filler = jetstream(&deployment).create_stream(filler).await?;
    fill(&deployment).await?;
    refused(&client, "refused", "`max_file_store` of the server").await?;
    until_kept(&mut host).await?;
    filler.purge().await?;
    ends_once(&mut events, &key).await?;
    client.task("storm.run").id("refused").submit(&json!({})).await?;
    ends_once(&mut events, "storm.run.refused").await?;
    host.check_alive()?;
    audited.prove().await
}

/// Publishes until the server has no room for anything: smaller and smaller messages.
async fn fill(deployment: &Deployment) -> Test {
    for bytes in [512 << 10, 8 << 10, 256, 1] {
        while let Ok(sent) = jetstream(deployment).publish("filler", vec![0; bytes].into()).await {
            if sent.await.is_err() {
                break;
            }
        }
    }
    let info = jetstream(deployment).query_account().await.context("the account")?;
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
    edit(&deployment, "OBJ_wasmhost-blobs", |config| config.max_bytes = 1_000).await?;
    let job = client.task("storm.run").id("big").submit(&json!({ "result_bytes": 200_000 })).await?;
    host.log.until("a result that is kept", |lines| untold(lines) >= 4).await?;
    edit(&deployment, "OBJ_wasmhost-blobs", |config| config.max_bytes = -1).await?;
    let result: Value = job.result().await?;
    assert_eq!(result["padding"].as_str().map(str::len), Some(200_000));
    ends_once(&mut events, "storm.run.big").await
}

#[tokio::test]
async fn a_result_whose_record_was_long_in_being_written_is_there_as_long_as_the_record() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = host_with_margin(&deployment, 1_000).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let arguments = json!({ "sleep_ms": 1_500, "result_bytes": 200_000 });
    let job = client.task("storm.run").id("late").result_ttl(std::time::Duration::from_secs(5));
    let job = job.submit(&arguments).await?;
    events.until_state("storm.run.late", "STARTED").await?;
    leave_no_room(&deployment, "KV_wasmhost-states").await?;
    // A second a try: what was stored first has expired by then.
    host.log.until("an outcome that is kept for long", |lines| tries(lines) >= 10).await?;
    edit(&deployment, "KV_wasmhost-states", |config| config.max_bytes = -1).await?;
    ends_once(&mut events, "storm.run.late").await?;
    let result: Value = job.result().await?;
    assert_eq!(result["padding"].as_str().map(str::len), Some(200_000));
    host.check_alive()
}
