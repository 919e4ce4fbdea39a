//! The reconciler: no job is stuck for ever, and none is ended that only waits.

use std::time::Duration;

use anyhow::ensure;
use async_nats::jetstream::{
    self,
    consumer::{pull, push},
};
use end_to_end::{Deployment, History, Host, until};
use serde_json::{Value, json};
use wasmhost_client::RevokeOptions;
use wasmhost_client::protocol::record::BlobRef;
use wasmhost_nats::blobs::{self, Life, ObjectError};

use super::Test;

/// Short, so that what is gone is missed soon.
const FLAGS: [&str; 4] = ["--reconcile-after", "1s", "--ack-wait", "2s"];

fn jetstream(deployment: &Deployment) -> jetstream::Context {
    jetstream::new(deployment.nats.clone())
}

/// Removes all messages of the job stream, as an operator might.
async fn purge(deployment: &Deployment) -> anyhow::Result<()> {
    jetstream(deployment).get_stream("WASMHOST_JOBS").await?.purge().await?;
    Ok(())
}

async fn messages(deployment: &Deployment) -> anyhow::Result<u64> {
    Ok(jetstream(deployment).get_stream("WASMHOST_JOBS").await?.cached_info().state.messages)
}

/// Waits until the reconciler has looked so many times more.
async fn looks(host: &mut Host, count: usize) -> anyhow::Result<()> {
    let seen = |lines: &Vec<String>| lines.iter().filter(|line| line.contains("reconciled looks=")).count();
    let before = host.log.text().matches("reconciled looks=").count();
    host.log.until("looks of the reconciler", |lines| seen(lines) >= before + count).await.map(drop)
}

#[tokio::test]
async fn a_job_whose_message_was_purged_before_any_claim_is_not_published() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("hello.run").id("p").queue("nobody").submit(&json!({})).await?;
    purge(&deployment).await?;
    let history = events.until_end("hello.run.p").await?;
    assert_eq!(history.states(), ["PENDING", "FAILURE"], "{history}");
    assert_eq!(history.last()["error"]["kind"], "NotPublished", "{history}");
    let again = client.task("hello.run").id("p").queue("nobody").submit(&json!({})).await;
    ensure!(format!("{again:?}").contains("NotPublished"), "told when the id is free again: {again:?}");
    let dead = jetstream(&deployment).get_stream("WASMHOST_DEAD").await?;
    let kept = dead.get_last_raw_message_by_subject("wasmhost.dead.hello.run.p").await?;
    assert_eq!(
        kept.headers.get("Wasmhost-Dead-Kind").map(ToString::to_string).as_deref(),
        Some("NotPublished")
    );
    Ok(())
}

#[tokio::test]
async fn a_claimed_job_whose_host_and_message_are_gone_is_lost_or_revoked() -> Test {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("hostile").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let mut jobs = Vec::new();
    for id in ["lost", "revoked"] {
        let job = client.task("hostile.run").id(id).submit(&json!({ "do": "sleep", "ms": 600_000 })).await?;
        events.until_state(&job.key().to_string(), "STARTED").await?;
        jobs.push(job);
    }
    host.kill().await?;
    purge(&deployment).await?;
    let options = RevokeOptions::new("no longer wanted");
    jobs[1].request_revoke(options).await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("hostile.run.lost").await?;
    assert_eq!(
        (&history.last()["error"]["kind"], &history.last()["attempt"]),
        (&json!("Lost"), &json!(1)),
        "{history}"
    );
    let history = events.until_end("hostile.run.revoked").await?;
    assert_eq!(history.last()["state"], "REVOKED", "{history}");
    Ok(())
}

#[tokio::test]
async fn what_only_waits_is_still_there_after_a_hundred_looks() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--reconcile-after", "100ms", "-v"]).await?;
    deployment.push("flaky").await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let arguments = json!({ "how": "retry", "after_ms": 3_600_000 });
    client.task("flaky.run").id("retry").submit(&arguments).await?;
    events.until_state("flaky.run.retry", "RETRY").await?;
    let hour = Duration::from_secs(3_600);
    client.task("hello.run").id("scheduled").delay(hour).submit(&json!({})).await?;
    client.task("hello.run").id("queued").queue("nobody").submit(&json!({})).await?;
    deployment.publish("wasmhost.jobs.nobody.hello.run", &[], "{}").await?;
    looks(&mut host, 100).await?;
    assert_eq!(deployment.record("flaky.run.retry").await?.unwrap_or_default()["state"], "RETRY");
    assert_eq!(deployment.record("hello.run.scheduled").await?.unwrap_or_default()["state"], "PENDING");
    let schedules = jetstream(&deployment).get_stream("WASMHOST_SCHEDULES").await?;
    assert_eq!(schedules.cached_info().state.messages, 1, "and its schedule stands");
    assert_eq!(deployment.record("hello.run.queued").await?.unwrap_or_default()["state"], "PENDING");
    assert_eq!(messages(&deployment).await?, 3);
    host.check_alive()
}

#[tokio::test]
async fn a_blob_that_no_record_names_is_removed_and_those_that_one_names_are_not() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--reconcile-after", "1s", "-v"]).await?;
    deployment.push("hostile").await?;
    let client = deployment.client().await?;
    let mut events = deployment.events().await?;
    let result = client.task("hostile.run").id("kept");
    let result = result.submit(&json!({ "do": "big-result", "bytes": 100_000 })).await?;
    let _: String = result.result().await?;
    let saving = json!({ "do": "checkpoints", "n": 1, "bytes": 10, "every_ms": 600_000 });
    client.task("hostile.run").id("saving").submit(&saving).await?;
    let names = |history: &History| history.0.last().is_some_and(|it| it.record["checkpoint"].is_object());
    let history = events.until("hostile.run.saving", names).await?;
    let named: BlobRef = serde_json::from_value(history.last()["checkpoint"].clone())?;
    let mut nobodys = Vec::new();
    for name in ["hostile.run.nobody/1-token-checkpoint-1", "hostile.run.saving/1-token-checkpoint-1"] {
        let bytes = "of an attempt that is no more".into();
        nobodys.push(blobs::put(client.connection(), name, bytes, Life::UntilDeleted).await?);
    }
    for blob in &nobodys {
        until("the removal of a blob", async || {
            let read = blobs::get(client.connection(), blob).await;
            Ok(matches!(read, Err(ObjectError::Missing(_))).then_some(()))
        })
        .await?;
    }
    looks(&mut host, 5).await?;
    assert_eq!(result.result::<String>().await?.len(), 100_000);
    assert_eq!(blobs::get(client.connection(), &named).await?.len(), 10);
    let stream = jetstream(&deployment).get_stream("OBJ_wasmhost-blobs").await?;
    assert_eq!(stream.cached_info().state.messages, 4, "two blobs, each a chunk and a description");
    Ok(())
}

#[tokio::test]
async fn a_queue_gets_its_consumer_back_when_it_was_deleted_or_changed() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let jobs = jetstream(&deployment).get_stream("WASMHOST_JOBS").await?;
    jobs.delete_consumer("wasmhost-default").await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    let consumer: jetstream::consumer::PullConsumer =
        jobs.get_consumer("wasmhost-default").await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut config = pull::Config { max_deliver: 1, ..Default::default() };
    let found = &consumer.cached_info().config;
    config.durable_name.clone_from(&found.durable_name);
    config.filter_subject.clone_from(&found.filter_subject);
    config.ack_wait = found.ack_wait;
    config.max_ack_pending = found.max_ack_pending;
    config.max_waiting = found.max_waiting;
    jobs.update_consumer(config).await?;
    host.log.wait_for("making it anew").await?;
    let as_it_was = async || {
        let found: Result<jetstream::consumer::PullConsumer, _> = jobs.get_consumer("wasmhost-default").await;
        Ok(found.ok().filter(|found| found.cached_info().config.max_deliver == -1).map(drop))
    };
    until("the consumer as it was", as_it_was).await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;

    let pushing = push::Config {
        durable_name: Some("wasmhost-default".to_owned()),
        filter_subject: "wasmhost.jobs.default.>".to_owned(),
        deliver_subject: "somewhere.else".to_owned(),
        ..push::Config::default()
    };
    // The host gives the queue its consumer back as soon as it misses it: again until this was faster.
    until("a consumer that pushes in its place", async || {
        jobs.delete_consumer("wasmhost-default").await.ok();
        Ok(jobs.create_consumer(pushing.clone()).await.ok().map(drop))
    })
    .await?;
    until("the consumer as it was", as_it_was).await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}

#[tokio::test]
async fn a_due_job_that_finds_no_room_in_the_queue_is_not_taken_for_lost() -> Test {
    let deployment = Deployment::start().await?;
    // Longer than the server takes to find that there is room again.
    let mut host = deployment.host(&["--reconcile-after", "4s", "-v"]).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    client.task("hello.run").queue("nobody").submit(&json!({})).await?;
    limit(&deployment, 1).await?;
    let job = client.task("hello.run").id("d").delay(Duration::from_millis(100)).submit(&json!({})).await?;
    let schedules = jetstream(&deployment).get_stream("WASMHOST_SCHEDULES").await?;
    let due = "wasmhost.due.default.hello.run.d";
    until("what the schedule fired", async || Ok(schedules.get_last_raw_message_by_subject(due).await.ok()))
        .await?;
    looks(&mut host, 4).await?;
    assert_eq!(job.record().await?.state().as_str(), "PENDING");
    limit(&deployment, 10).await?;
    let _: Value = job.result().await?;
    Ok(())
}

/// Lets the job stream hold so many messages.
async fn limit(deployment: &Deployment, messages: i64) -> anyhow::Result<()> {
    let mut config = jetstream(deployment).get_stream("WASMHOST_JOBS").await?.cached_info().config.clone();
    config.max_messages = messages;
    jetstream(deployment).update_stream(config).await?;
    Ok(())
}
