//! Nothing is dropped in doubt: when a read fails, when a consumer or a bucket was made anew, and when a suspect survives.

use anyhow::{Context, ensure};
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::PullConsumer;
use end_to_end::{Deployment, Level, until, until_true};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "2s"];

#[tokio::test]
async fn a_message_is_not_dropped_for_another_one_that_could_not_be_looked_up() -> Test {
    let deployment = Deployment::start().await?;
    let first = deployment.host(&[&FLAGS[..], &["--queues", "a"]].concat()).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let body = r#"{"sleep_ms":60000,"slow_until_attempt":1}"#;
    let sequence = deployment.publish("wasmhost.jobs.a.storm.run.k", &[], body).await?;
    events.until_state("storm.run.k", "STARTED").await?;
    first.kill().await?;
    deployment.stream("WASMHOST_JOBS").await?.delete_message(sequence).await?;

    let proxy = deployment.proxy().await?;
    let mut second = deployment.host_behind(&proxy, &[&FLAGS[..], &["--queues", "b"]].concat()).await?;
    let lost =
        proxy.swallow_answer("$JS.API.STREAM.MSG.GET.WASMHOST_JOBS", &format!("{{\"seq\":{sequence}}}"));
    deployment.publish("wasmhost.jobs.b.storm.run.k", &[], body).await?;
    lost.happened().await?;
    let end = events.until_end("storm.run.k").await?;
    end.assert_success().assert_attempt(2);
    second.check_alive()
}

#[tokio::test]
async fn a_host_without_a_free_slot_notices_that_its_consumer_was_made_anew() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&[&FLAGS[..], &["--slots", "1"]].concat()).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("storm.run").id("busy").submit(&json!({ "sleep_ms": 6_000 })).await?;
    events.until_state("storm.run.busy", "STARTED").await?;
    let jobs = deployment.stream("WASMHOST_JOBS").await?;
    jobs.delete_consumer("wasmhost-default").await?;
    client.task("storm.run").id("next").submit(&json!({})).await?;
    let consumer: PullConsumer =
        until("a consumer made anew", async || Ok(jobs.get_consumer("wasmhost-default").await.ok())).await?;
    let created = consumer.cached_info().created.unix_timestamp_nanos() / 1_000_000;
    let end = events.until_end("storm.run.next").await?;
    let written = end.last()["delivery"]["created"].as_str().context("no delivery")?.to_owned();
    let written = wasmhost_client::protocol::timestamp::Timestamp::parse(&written)?;
    ensure!(i128::from(written.unix_ms()) == created, "{written}, not {created}: {end}");
    end.assert_lost(0);
    events.until_end("storm.run.busy").await?.assert_lost(0);
    host.check_alive()
}

#[tokio::test]
async fn a_backlog_outlives_its_bucket_of_records() -> Test {
    let deployment = Deployment::start().await?;
    drop(deployment.host(&["--queues", "nobody"]).await?);
    deployment.push("hello").await?;
    let client = deployment.client().await?;
    for id in ["1", "2", "3"] {
        client.task("hello.run").id(id).submit(&json!({})).await?;
    }
    deployment.jetstream().delete_stream("KV_wasmhost-states").await?;
    // A host whose clock is more than an hour ahead.
    let mut host = deployment.faulty_host("clock=return(4500000)", &FLAGS).await?;
    for id in ["1", "2", "3"] {
        let key = format!("hello.run.{id}");
        until("the end of a job", async || {
            let record = deployment.record(&key).await?;
            Ok(record.filter(|record| record["state"] == "SUCCESS"))
        })
        .await
        .with_context(|| host.log.text())?;
    }
    host.check_alive()
}

#[tokio::test]
async fn a_bucket_of_records_that_was_made_anew_is_an_error_that_names_it() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&FLAGS).await?;
    deployment.push("hello").await?;
    // The host has looked at the first bucket when it has run a job.
    deployment.wasmhost(&["submit", "hello.run", "{}", "--wait"]).await?.ok()?;
    deployment.jetstream().delete_stream("KV_wasmhost-states").await?;
    let _other = deployment.host(&FLAGS).await?;
    host.until_logged(Level::Error, "wasmhost-states").await?;
    deployment.wasmhost(&["submit", "hello.run", "{}", "--wait"]).await?.ok()?;
    host.check_alive()
}

#[tokio::test]
async fn a_bucket_of_modules_that_was_made_anew_is_read_again() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&[&FLAGS[..], &["--queues", "a"]].concat()).await?;
    for module in ["hello", "flaky", "progress"] {
        deployment.push(module).await?;
    }
    deployment.wasmhost(&["submit", "hello.run", "{}", "--queue", "a", "--wait"]).await?.ok()?;
    deployment.jetstream().delete_stream("KV_wasmhost-modules").await?;
    drop(deployment.host(&["--queues", "b"]).await?);
    deployment.push_as("flaky", "hello", "").await?;
    // Until the host has read the new bucket, it runs the component that the name had before, which refuses the arguments.
    let arguments = r#"{"fail_times":0}"#;
    let submit = ["submit", "hello.run", arguments, "--queue", "a", "--wait"];
    until_true("the component of the new bucket", async || {
        let ran = deployment.wasmhost(&submit).await?;
        Ok(ran.code == 0 && ran.json()? == json!({ "attempt": 1 }))
    })
    .await?;
    host.check_alive()
}

/// Submits a job and writes its record as that of a job that lost two claims, the last of them under a consumer that is gone.
async fn suspect(deployment: &Deployment, id: &str) -> Test {
    let client = deployment.client().await?;
    client.task("storm.run").queue("later").id(id).submit(&json!({ "sleep_ms": 30_000 })).await?;
    let key = format!("storm.run.{id}");
    let mut record = deployment.known_record(&key).await?;
    record["state"] = json!("STARTED");
    for (field, value) in [
        ("attempt", json!(2)),
        ("lost", json!(2)),
        ("token", json!("00000000000000000000000000000001")),
        ("host", json!("000000000000")),
        ("started_at", record["submitted_at"].clone()),
        ("delivery", json!({ "created": "2026-01-01T00:00:00.000Z", "count": 1 })),
        ("msg_seq", json!(sequence_of(deployment, &key).await?)),
    ] {
        record[field] = value;
    }
    let jetstream = deployment.jetstream();
    jetstream.publish(format!("$KV.wasmhost-states.{key}"), record.to_string().into()).await?.await?;
    Ok(())
}

async fn sequence_of(deployment: &Deployment, key: &str) -> anyhow::Result<u64> {
    let stream = deployment.stream("WASMHOST_JOBS").await?;
    Ok(stream.get_last_raw_message_by_subject(&format!("wasmhost.jobs.later.{key}")).await?.sequence)
}

#[tokio::test]
async fn a_suspect_that_lives_lets_the_next_one_begin() -> Test {
    let deployment = Deployment::start().await?;
    drop(deployment.host(&["--queues", "nobody"]).await?);
    deployment.push("storm").await?;
    for id in ["a", "b", "c"] {
        suspect(&deployment, id).await?;
    }
    let mut events = deployment.events().await?;
    let mut host = deployment.host(&[&FLAGS[..], &["--queues", "later"]].concat()).await?;
    // Each of them sleeps for longer than this test takes, so that none begins because another one has ended.
    for id in ["a", "b", "c"] {
        events.until_state(&format!("storm.run.{id}"), "STARTED").await?;
    }
    for id in ["a", "b", "c"] {
        let now = events.so_far(&format!("storm.run.{id}")).last().clone();
        ensure!(now["state"] == "STARTED" && now["attempt"] == 3 && now["lost"] == 2, "{now}");
    }
    host.check_alive()
}

#[tokio::test]
async fn submits_that_wait_hold_no_other_request_up() -> Test {
    const SUBMITS: usize = 300;
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    // Each id has a message of an earlier job, in a queue that no host serves.
    for at in 0..SUBMITS {
        deployment.publish(&format!("wasmhost.jobs.nobody.hello.run.o{at}"), &[], "[1]").await?;
    }
    let mut headers = HeaderMap::new();
    headers.insert("Wasmhost-Queue", "nobody");
    let waiting = try_join_all((0..SUBMITS).map(|at| {
        let subject = format!("wasmhost.submit.hello.run.o{at}");
        deployment.nats.publish_with_reply_and_headers(subject, "_INBOX.nobody", headers.clone(), "{}".into())
    }));
    waiting.await?;
    deployment.nats.flush().await?;
    // Then all submits that are under way have their records.
    until("submits under way", async || Ok(deployment.record("hello.run.o200").await?)).await?;
    let answer = deployment.nats.request("wasmhost.revoke.hello.run.none", "".into()).await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["kind"] == "NotFound", "{answer}");
    let answer = deployment.nats.request("wasmhost.status.hello.run.o0", "".into()).await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["state"] == "PENDING", "{answer}");
    host.check_alive()
}
