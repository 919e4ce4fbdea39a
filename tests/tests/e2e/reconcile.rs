//! The reconciler: no job is stuck for ever, and no job is ended that only waits.

use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::Message;
use async_nats::jetstream::consumer::{pull, push};
use end_to_end::{BLOBS, Deployment, JOBS, SCHEDULES, STATES, until, until_true, within};
use serde_json::{Value, json};
use wasmhost_client::protocol::ids::QueueName;
use wasmhost_client::protocol::record::{BlobRef, ErrorKind};
use wasmhost_client::{ResultError, RevokeOptions, Submission, SubmitError};
use wasmhost_nats::blobs::{self, Life, ObjectError};

use super::Test;

/// The reconciler makes a pass every second, so that a missing message is noticed soon.
const FLAGS: [&str; 4] = ["--reconcile-after", "1s", "--ack-wait", "2s"];

#[tokio::test]
async fn a_job_whose_message_was_purged_before_any_claim_is_not_published() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("hello.run").id("p").queue("nobody").submit(&json!({})).await?;
    deployment.purge_queue().await?;
    let history = events.until_end("hello.run.p").await?;
    history.assert_states(["PENDING", "FAILURE"]);
    history.assert_failure("NotPublished");
    let again = client.task("hello.run").id("p").queue("nobody").submit(&json!({})).await;
    ensure!(matches!(again, Err(SubmitError::NotPublished { .. })), "{again:?}");
    let letter = deployment.dead_letter("hello.run.p").await?.context("no dead-letter copy")?;
    assert_eq!(letter.kind, "NotPublished");
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
    deployment.purge_queue().await?;
    let options = RevokeOptions::new("no longer wanted");
    jobs[1].request_revoke(options).await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("hostile.run.lost").await?;
    history.assert_failure("Lost").assert_attempt(1);
    let history = events.until_end("hostile.run.revoked").await?;
    history.assert_revoked();
    Ok(())
}

#[tokio::test]
async fn what_only_waits_is_still_there_after_a_hundred_passes() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--reconcile-after", "100ms"]).await?;
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
    deployment.reconciler("default").await?.until_passes(100).await?;
    assert_eq!(deployment.known_record("flaky.run.retry").await?["state"], "RETRY");
    assert_eq!(deployment.known_record("hello.run.scheduled").await?["state"], "PENDING");
    assert_eq!(deployment.messages(SCHEDULES).await?, 1, "its schedule is still there");
    assert_eq!(deployment.known_record("hello.run.queued").await?["state"], "PENDING");
    assert_eq!(deployment.messages(JOBS).await?, 3);
    host.check_alive()
}

#[tokio::test]
async fn a_blob_that_no_record_names_is_removed_and_those_that_one_names_are_not() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--reconcile-after", "1s"]).await?;
    deployment.push("hostile").await?;
    let client = deployment.client().await?;
    let mut events = deployment.events().await?;
    let result = client.task("hostile.run").id("kept");
    let result = result.submit(&json!({ "do": "big-result", "bytes": 100_000 })).await?;
    let _: String = result.result().await?;
    let saving = json!({ "do": "checkpoints", "n": 1, "bytes": 10, "every_ms": 600_000 });
    client.task("hostile.run").id("saving").submit(&saving).await?;
    let history = events.until_checkpoint("hostile.run.saving").await?;
    let named: BlobRef = serde_json::from_value(history.last()["checkpoint"].clone())?;
    let mut nobodys = Vec::new();
    for name in ["hostile.run.nobody/1-token-checkpoint-1", "hostile.run.saving/1-token-checkpoint-1"] {
        let bytes = "of an attempt that is no more".into();
        nobodys.push(blobs::put(client.connection(), name, bytes, Life::UntilDeleted).await?);
    }
    for blob in &nobodys {
        until_true("the removal of a blob", async || {
            let read = blobs::get(client.connection(), blob).await;
            Ok(matches!(read, Err(ObjectError::Missing(_))))
        })
        .await?;
    }
    deployment.reconciler("default").await?.until_passes(5).await?;
    assert_eq!(result.result::<String>().await?.len(), 100_000);
    assert_eq!(blobs::get(client.connection(), &named).await?.len(), 10);
    assert_eq!(deployment.messages(BLOBS).await?, 4, "two blobs, each a chunk and a description");
    host.check_alive()
}

#[tokio::test]
async fn a_queue_gets_its_consumer_back_when_it_was_deleted_or_changed() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let jobs = deployment.stream(JOBS).await?;
    deployment.delete_consumer("default").await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    let consumer = deployment.consumer("default").await?;
    let mut config = pull::Config { max_deliver: 1, ..Default::default() };
    let found = &consumer.cached_info().config;
    config.durable_name.clone_from(&found.durable_name);
    config.filter_subject.clone_from(&found.filter_subject);
    config.ack_wait = found.ack_wait;
    config.max_ack_pending = found.max_ack_pending;
    config.max_waiting = found.max_waiting;
    jobs.update_consumer(config).await?;
    let as_it_was = async || {
        Ok(deployment
            .consumer("default")
            .await
            .is_ok_and(|found| found.cached_info().config.max_deliver == -1))
    };
    until_true("the consumer as it was", as_it_was).await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;

    let pushing = push::Config {
        durable_name: Some("wasmhost-default".to_owned()),
        filter_subject: "wasmhost.jobs.default.>".to_owned(),
        deliver_subject: "somewhere.else".to_owned(),
        ..push::Config::default()
    };
    // The host gives the queue its consumer back as soon as it notices. It is tried again until this test was faster.
    until_true("a consumer that pushes instead", async || {
        deployment.delete_consumer("default").await.ok();
        Ok(jobs.create_consumer(pushing.clone()).await.is_ok())
    })
    .await?;
    until_true("the consumer as it was", as_it_was).await?;
    let _: Value = client.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}

#[tokio::test]
async fn a_due_job_that_finds_no_room_in_the_queue_is_not_taken_for_lost() -> Test {
    let deployment = Deployment::start().await?;
    // The grace is longer than the server takes to notice that there is room again.
    let mut host = deployment.host(&["--reconcile-after", "4s"]).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    client.task("hello.run").queue("nobody").submit(&json!({})).await?;
    deployment.limit_queue(1).await?;
    let job = client.task("hello.run").id("d").delay(Duration::from_millis(100)).submit(&json!({})).await?;
    let schedules = deployment.stream(SCHEDULES).await?;
    let due = "wasmhost.due.default.hello.run.d";
    until("what the schedule fired", async || Ok(schedules.get_last_raw_message_by_subject(due).await.ok()))
        .await?;
    deployment.reconciler("default").await?.until_passes(4).await?;
    assert_eq!(job.record().await?.label().as_str(), "PENDING");
    deployment.limit_queue(10).await?;
    let _: Value = job.result().await?;
    host.check_alive()
}

/// Which host scans, as the bucket of hosts has it.
async fn scanner(deployment: &Deployment) -> anyhow::Result<Option<String>> {
    let lease = deployment.bucket("wasmhost-hosts").await?.get("lease.scanner").await?;
    let lease: Option<Value> = lease.map(|lease| serde_json::from_slice(&lease)).transpose()?;
    Ok(lease.and_then(|lease| Some(lease["scanner"].as_str()?.to_owned())))
}

#[tokio::test]
async fn one_host_scans_and_another_one_when_it_has_died_or_left() -> Test {
    let deployment = Deployment::start().await?;
    let client = deployment.client().await?;
    let first = deployment.host(&FLAGS).await?;
    let first_id = first.known_id()?;
    until_true("the first host scans", async || Ok(scanner(&deployment).await? == Some(first_id.clone())))
        .await?;
    let mut second = deployment.host(&FLAGS).await?;
    let second_id = second.known_id()?;
    // The second one stands for election as often as the first one renews its lease.
    let mut leases = deployment.traffic("$KV.wasmhost-hosts.lease.scanner").await?;
    leases.until("a renewal", 8, |_| true).await?;
    ensure!(scanner(&deployment).await? == Some(first_id), "the first host still scans");
    first.kill().await?;
    until_true("the second host scans", async || Ok(scanner(&deployment).await? == Some(second_id.clone())))
        .await?;
    let third = deployment.host(&FLAGS).await?;
    let third_id = third.known_id()?;
    second.drain().await?;
    until_true("the third host scans", async || Ok(scanner(&deployment).await? == Some(third_id.clone())))
        .await?;
    let job = client.task("hello.run").unchecked().queue("nobody").submit(&json!({})).await?;
    deployment.purge_queue().await?;
    let ended = within("the end of a job without a message", job.result::<Value>()).await?;
    ensure!(ended.is_err(), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_read_once_is_not_read_again() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let jobs = (0..600).map(|_| Submission::new("hello.run", &json!({}))).collect::<Result<Vec<_>, _>>()?;
    for job in client.submit_many(jobs).await {
        let _: Value = job?.result().await?;
    }
    client.task("hello.run").queue("nobody").submit(&json!({})).await?;
    let mut reads = deployment.traffic("$JS.API.DIRECT.GET.KV_wasmhost-states").await?;
    // The newest of all records is read as well.
    let newest = deployment.stream(STATES).await?.info().await?.state.last_sequence;
    let is_newest = |read: &Message| {
        serde_json::from_slice::<Value>(&read.payload).is_ok_and(|asked| asked["seq"] == newest)
    };
    reads.until("a read of the newest record", 1, is_newest).await?;
    deployment.reconciler("default").await?.until_passes(5).await?;
    let again: Vec<_> = reads.so_far().into_iter().map(|read| read.payload).collect();
    ensure!(again.is_empty(), "{again:?}");
    Ok(())
}

#[tokio::test]
async fn thousands_of_jobs_whose_stream_was_purged_are_ended() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    let job = || {
        let mut job = Submission::new("hello.run", &json!({}))?;
        job.queue = QueueName::parse("nobody")?;
        anyhow::Ok(job)
    };
    let jobs = (0..3_000).map(|_| job()).collect::<anyhow::Result<Vec<_>>>()?;
    let submitted = client.submit_many(jobs).await;
    deployment.purge_queue().await?;
    for job in submitted {
        let ended = within("the end of a job without a message", job?.result::<Value>()).await?;
        let Err(ResultError::Failed { error, .. }) = ended else { anyhow::bail!("{ended:?}") };
        assert_eq!(error.kind, ErrorKind::NotPublished, "{error:?}");
    }
    host.check_alive()
}
