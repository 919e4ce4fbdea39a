//! What is too large for a record: it goes with its record, a slow store holds nobody up, and what dead hosts left is found.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, consumer::pull};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use end_to_end::{Deployment, Events, Host, guest, number, until, within};
use futures::StreamExt;
use serde_json::{Value, json};

use super::{Test, say};

/// No reconciler looks while a test runs: what goes, goes by itself.
const UNWATCHED: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "10m"];
/// The reconciler looks often.
const WATCHED: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];
/// Half a mebibyte: a chunk.
const CHUNK: usize = 512 << 10;

fn jetstream(deployment: &Deployment) -> jetstream::Context {
    jetstream::new(deployment.nats.clone())
}

/// Messages in the blob store, whatever they are.
async fn messages(deployment: &Deployment) -> anyhow::Result<u64> {
    Ok(jetstream(deployment).get_stream("OBJ_wasmhost-blobs").await?.cached_info().state.messages)
}

async fn until_empty(deployment: &Deployment) -> Test {
    until("an empty blob store", async || Ok((messages(deployment).await? == 0).then_some(()))).await
}

/// A host whose results outlive their records by this many milliseconds.
pub(super) async fn host_with_margin(deployment: &Deployment, ms: u64) -> anyhow::Result<Host> {
    deployment.faulty_host(&format!("result-margin=return({ms})"), &UNWATCHED).await
}

/// Waits until the record names a checkpoint.
async fn until_named(events: &mut Events, key: &str) -> Test {
    let named = |history: &end_to_end::History| {
        history.0.last().is_some_and(|last| last.record["checkpoint"].is_object())
    };
    events.until(key, named).await.map(drop)
}

#[tokio::test]
async fn a_checkpoint_goes_when_the_next_is_named_and_when_its_job_ends() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&UNWATCHED).await?;
    let retry = "[retry]\nmax_attempts = 2\ninitial_delay = \"2s\"\n";
    deployment.push_as("hostile", "hostile", retry).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let some = json!({ "do": "checkpoints", "n": 4, "bytes": CHUNK, "every_ms": 800 });
    let many = json!({ "do": "checkpoints", "n": 2, "bytes": CHUNK, "every_ms": 600_000 });
    let failing = json!({ "do": "checkpoint", "fail_times": 9 });
    for (id, arguments) in [("ends", &some), ("fails", &failing), ("running", &many), ("waiting", &failing)] {
        client.task("hostile.run").id(id).submit(arguments).await?;
    }
    until_named(&mut events, "hostile.run.running").await?;
    ensure!(messages(&deployment).await? > 0, "a checkpoint stands while its job runs");
    events.until_state("hostile.run.waiting", "RETRY").await?;
    ensure!(deployment.record("hostile.run.waiting").await?.unwrap_or_default()["checkpoint"].is_object());
    for id in ["running", "waiting"] {
        deployment.job(&format!("hostile.run.{id}")).await?.revoke("enough").await?;
    }
    for (id, end) in
        [("ends", "SUCCESS"), ("fails", "FAILURE"), ("running", "REVOKED"), ("waiting", "REVOKED")]
    {
        let history = events.until_end(&format!("hostile.run.{id}")).await?;
        assert_eq!(history.last()["state"], end, "{history}");
    }
    until_empty(&deployment).await?;
    host.check_alive()
}

/// Results of 2 MiB each 300 ms, and checkpoints beside them.
struct Load {
    seconds: u64,
    /// Running jobs, each with two checkpoints a second.
    savers: u64,
    checkpoint_bytes: usize,
    ttl: Duration,
    /// How much longer than its record a result lives; none: as on every host.
    margin_ms: Option<u64>,
}

impl Load {
    /// By `WASMHOST_BLOB_SECONDS`: a minute or more is 200 checkpoints a second on a host without faults.
    fn asked() -> Self {
        match number("WASMHOST_BLOB_SECONDS", 2) {
            seconds @ 60.. => Self {
                seconds,
                savers: 100,
                checkpoint_bytes: 64 << 10,
                ttl: Duration::from_secs(30),
                margin_ms: None,
            },
            seconds => Self {
                seconds,
                savers: 8,
                checkpoint_bytes: CHUNK,
                ttl: Duration::from_secs(3),
                margin_ms: Some(1_000),
            },
        }
    }
}

#[tokio::test]
async fn results_and_checkpoints_leave_nothing_and_make_no_consumer() -> Test {
    let load = Load::asked();
    let deployment = Deployment::start().await?;
    let mut host = match load.margin_ms {
        Some(ms) => host_with_margin(&deployment, ms).await?,
        None => deployment.host(&["--slots", "128"]).await?,
    };
    deployment.push_as("hostile", "hostile", "[limits]\nresult_bytes = 4194304\n").await?;
    let made = "$JS.EVENT.ADVISORY.CONSUMER.CREATED.OBJ_wasmhost-blobs.*";
    let mut made = deployment.nats.subscribe(made).await?;
    deployment.nats.flush().await?;
    let client = deployment.client().await?;
    let task = || client.task("hostile.run").result_ttl(load.ttl);
    let mut saving = Vec::new();
    for _ in 0..load.savers {
        let n = 2 * load.seconds;
        let arguments =
            json!({ "do": "checkpoints", "n": n, "bytes": load.checkpoint_bytes, "every_ms": 500 });
        saving.push(task().submit(&arguments).await?);
    }
    let mut memory = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(300));
    for _ in 0..load.seconds * 1_000 / 300 {
        pace.tick().await;
        memory.push(host.memory()?);
        let job = task().submit(&json!({ "do": "big-result", "bytes": 2 << 20 })).await?;
        let result: String = job.result().await?;
        assert_eq!(result.len(), 2 << 20);
    }
    for job in saving {
        let _: Value = job.result().await?;
    }
    say(&format!("memory of the host, in bytes: {memory:?}"));
    let ended = Instant::now();
    // A minute each; five are the promise.
    let mut empty = until_empty(&deployment).await;
    for _ in 1..5 {
        if empty.is_err() {
            empty = until_empty(&deployment).await;
        }
    }
    empty?;
    say(&format!("the blob store was empty after {:?}", ended.elapsed()));
    let log = host.log.text();
    ensure!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    let ours = pull::Config { name: Some("ours".to_owned()), ..Default::default() };
    jetstream(&deployment).get_stream("OBJ_wasmhost-blobs").await?.create_consumer(ours).await?;
    let first = within("the news of a consumer", made.next()).await?.context("an advisory")?.subject;
    ensure!(first.ends_with("OBJ_wasmhost-blobs.ours"), "a consumer for a look-up: {first}");
    host.check_alive()
}

#[tokio::test]
async fn a_checkpoint_that_takes_long_to_store_holds_up_no_revoke() -> Test {
    let deployment = Deployment::start().await?;
    let proxy = deployment.proxy().await?;
    let mut host = deployment.host_behind(&proxy, &UNWATCHED).await?;
    deployment.push("hostile").await?;
    let unanswered = proxy.swallow_answer("$O.wasmhost-blobs.C.", "PUB");
    let arguments = json!({ "do": "checkpoints", "n": 2, "bytes": CHUNK, "every_ms": 600_000 });
    let job = deployment.client().await?.task("hostile.run").submit(&arguments).await?;
    unanswered.happened().await?;
    job.revoke("enough").await?;
    assert_eq!(job.record().await?.state().as_str(), "REVOKED");
    ensure!(
        host.log.find("could not keep a checkpoint").is_none(),
        "it was not waited for: {}",
        host.log.text()
    );
    host.check_alive()
}

#[tokio::test]
async fn a_host_that_leaves_hands_a_job_on_whose_checkpoint_takes_long_to_store() -> Test {
    let deployment = Deployment::start().await?;
    let proxy = deployment.proxy().await?;
    let mut host = deployment.host_behind(&proxy, &[&UNWATCHED[..], &["--grace", "1ms"]].concat()).await?;
    deployment.push("hostile").await?;
    let mut events = deployment.events().await?;
    let unanswered = proxy.swallow_answer("$O.wasmhost-blobs.C.", "PUB");
    let arguments = json!({ "do": "checkpoints", "n": 2, "bytes": CHUNK, "every_ms": 600_000 });
    deployment.client().await?.task("hostile.run").id("h").submit(&arguments).await?;
    unanswered.happened().await?;
    host.terminate()?;
    let record = events.until_state("hostile.run.h", "RETRY").await?;
    assert_eq!((&record["meta"]["reason"], &record["lost"]), (&json!("handoff"), &json!(0)), "{record}");
    ensure!(host.end().await?.success());
    Ok(())
}

#[tokio::test]
async fn what_a_host_that_was_killed_left_of_a_blob_is_removed() -> Test {
    let deployment = Deployment::start().await?;
    let proxy = deployment.proxy().await?;
    let host = deployment.host_behind(&proxy, &UNWATCHED).await?;
    deployment.push("hostile").await?;
    let unanswered = proxy.swallow_answer("$O.wasmhost-blobs.C.", "PUB");
    let arguments = json!({ "do": "checkpoints", "n": 1, "bytes": CHUNK, "every_ms": 100 });
    let job = deployment.client().await?.task("hostile.run").submit(&arguments).await?;
    unanswered.happened().await?;
    host.kill().await?;
    ensure!(messages(&deployment).await? > 0, "a chunk that no record names");
    let mut next = deployment.host(&WATCHED).await?;
    let _: Value = job.result().await?;
    until_empty(&deployment).await?;
    next.check_alive()
}

#[tokio::test]
async fn thousands_of_orphans_go_and_no_lease_lapses_meanwhile() -> Test {
    const ORPHANS: usize = 3_000;
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&[&WATCHED[..], &["-v"]].concat()).await?;
    deployment.push("hostile").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    client.task("hostile.run").id("s").submit(&json!({ "do": "sleep", "ms": 600_000 })).await?;
    events.until_state("hostile.run.s", "STARTED").await?;
    let mut sent = Vec::new();
    for at in 0..ORPHANS {
        let name = format!("gone.job.{at}/1-token-checkpoint-1");
        let subject = format!("$O.wasmhost-blobs.M.{}", URL_SAFE.encode(&name));
        let description = json!({ "name": name, "bucket": "wasmhost-blobs", "nuid": format!("n{at}") });
        sent.push(jetstream(&deployment).publish(subject, description.to_string().into()).await?);
    }
    for sent in sent {
        sent.await?;
    }
    until_empty(&deployment).await?;
    let record = deployment.record("hostile.run.s").await?.unwrap_or_default();
    assert_eq!((&record["state"], &record["attempt"]), (&json!("STARTED"), &json!(1)), "{record}");
    host.check_alive()
}

#[tokio::test]
async fn a_module_whose_object_links_to_itself_is_a_bad_module_and_the_host_lives() -> Test {
    let deployment = Deployment::start().await?;
    let cache = tempfile::TempDir::new()?;
    let cache = cache.path().to_str().context("a path in UTF-8")?;
    // It has to fetch what the others of this machine have compiled.
    let mut host = deployment.host(&["--cache-dir", cache]).await?;
    deployment.push("hello").await?;
    // Another component than all others, by a section that says nothing.
    let mut component = std::fs::read(guest("hello"))?;
    component.extend([0, 5, 4, b'l', b'o', b'o', b'p']);
    let file = deployment.file("loop.wasm", &component)?;
    let file = file.to_str().context("a path in UTF-8")?;
    deployment.wasmhost(&["module", "push", file, "--name", "loop"]).await?.ok()?;
    let digest = wasmhost_nats::digest_of(&component).to_string();
    let store = "wasmhost-components";
    let link = json!({ "name": digest, "bucket": store, "options": { "link": { "bucket": store, "name": digest } } });
    let subject = format!("$O.{store}.M.{}", URL_SAFE.encode(&digest));
    jetstream(&deployment).publish(subject, link.to_string().into()).await?.await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.loop.run.l", &[], "{}").await?;
    let history = events.until_end("loop.run.l").await?;
    assert_eq!(history.last()["error"]["kind"], "BadModule", "{history}");
    let _: Value = deployment.client().await?.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}
