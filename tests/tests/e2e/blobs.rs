//! Results and checkpoints that are too large for a record: they are deleted with their records, a slow store delays nobody, and
//! blobs of dead hosts are found.

use std::time::{Duration, Instant};

use anyhow::ensure;
use async_nats::jetstream::consumer::pull;
use base64::{Engine, engine::general_purpose::URL_SAFE};
use end_to_end::{BLOBS, Deployment, Host, guest, number};
use serde_json::{Value, json};
use wasmhost_client::protocol::digest::Digest;

use super::{Test, say};

/// How long a revoke may take, as the README promises.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The reconciler makes no pass while a test runs, so that blobs are deleted by the host that stored them.
const UNWATCHED: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "10m"];
/// The reconciler makes a pass every second.
const WATCHED: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];
/// Half a mebibyte, which is one chunk of the store.
const CHUNK: usize = 512 << 10;

/// Starts a host whose results outlive their records by this many milliseconds.
pub(super) async fn host_with_margin(deployment: &Deployment, ms: u64) -> anyhow::Result<Host> {
    deployment.faulty_host(&format!("result-margin=return({ms})"), &UNWATCHED).await
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
    events.until_checkpoint("hostile.run.running").await?;
    ensure!(deployment.messages(BLOBS).await? > 0, "the checkpoint of a running job is stored");
    events.until_state("hostile.run.waiting", "RETRY").await?;
    ensure!(deployment.known_record("hostile.run.waiting").await?["checkpoint"].is_object());
    for id in ["running", "waiting"] {
        deployment.job(&format!("hostile.run.{id}")).await?.revoke("enough").await?;
    }
    for (id, end) in
        [("ends", "SUCCESS"), ("fails", "FAILURE"), ("running", "REVOKED"), ("waiting", "REVOKED")]
    {
        events.until_end(&format!("hostile.run.{id}")).await?.assert_end(end);
    }
    deployment.until_no_blobs().await?;
    host.check_alive()
}

/// The load of a test: results of 2 MiB each 300 ms, and checkpoints besides.
struct Load {
    seconds: u64,
    /// How many jobs run that save two checkpoints a second each.
    savers: u64,
    checkpoint_bytes: usize,
    ttl: Duration,
    /// How much longer than its record a result lives, in milliseconds; none for the usual time.
    margin_ms: Option<u64>,
}

impl Load {
    /// The load for the time that `WASMHOST_BLOB_SECONDS` names. From a minute on it is 200 checkpoints a second, on a host
    /// without faults.
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
    let mut made = deployment.traffic(made).await?;
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
    // Each of these waits takes a minute at most. The last blobs may take up to five.
    let mut empty = deployment.until_no_blobs().await;
    for _ in 1..5 {
        if empty.is_err() {
            empty = deployment.until_no_blobs().await;
        }
    }
    empty?;
    say(&format!("the blob store was empty after {:?}", ended.elapsed()));
    host.check_no_warnings()?;
    let ours = pull::Config { name: Some("ours".to_owned()), ..Default::default() };
    deployment.stream(BLOBS).await?.create_consumer(ours).await?;
    let first = made.next("an advisory of a consumer").await?.subject;
    ensure!(first.ends_with("OBJ_wasmhost-blobs.ours"), "another consumer was created before ours: {first}");
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
    let asked = Instant::now();
    job.revoke("enough").await?;
    ensure!(asked.elapsed() < AT_ONCE, "the revoke waited {:?} for the checkpoint", asked.elapsed());
    assert_eq!(job.record().await?.label().as_str(), "REVOKED");
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
    assert_eq!(record["meta"]["reason"], "handoff", "{record}");
    assert_eq!(record["lost"], 0, "{record}");
    host.until_drained().await?;
    Ok(())
}

#[tokio::test]
async fn a_part_of_a_blob_that_a_killed_host_stored_is_removed() -> Test {
    let deployment = Deployment::start().await?;
    let proxy = deployment.proxy().await?;
    let host = deployment.host_behind(&proxy, &UNWATCHED).await?;
    deployment.push("hostile").await?;
    let unanswered = proxy.swallow_answer("$O.wasmhost-blobs.C.", "PUB");
    let arguments = json!({ "do": "checkpoints", "n": 1, "bytes": CHUNK, "every_ms": 100 });
    let job = deployment.client().await?.task("hostile.run").submit(&arguments).await?;
    unanswered.happened().await?;
    host.kill().await?;
    ensure!(deployment.messages(BLOBS).await? > 0, "a chunk that no record names is stored");
    let mut next = deployment.host(&WATCHED).await?;
    let _: Value = job.result().await?;
    deployment.until_no_blobs().await?;
    next.check_alive()
}

#[tokio::test]
async fn thousands_of_orphans_go_and_no_lease_lapses_meanwhile() -> Test {
    const ORPHANS: usize = 3_000;
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&WATCHED).await?;
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
        sent.push(deployment.jetstream().publish(subject, description.to_string().into()).await?);
    }
    for sent in sent {
        sent.await?;
    }
    deployment.until_no_blobs().await?;
    let record = deployment.known_record("hostile.run.s").await?;
    assert_eq!(record["state"], "STARTED", "{record}");
    assert_eq!(record["attempt"], 1, "{record}");
    host.check_alive()
}

#[tokio::test]
async fn a_module_whose_object_links_to_itself_is_a_bad_module_and_the_host_lives() -> Test {
    let deployment = Deployment::start().await?;
    // With an empty cache the host has to fetch the component.
    let mut host = deployment.host(&["--cache-dir", &deployment.directory("cache")]).await?;
    deployment.push("hello").await?;
    // A custom section makes it another component than all others.
    let mut component = std::fs::read(guest("hello"))?;
    component.extend([0, 5, 4, b'l', b'o', b'o', b'p']);
    deployment.push_file(&deployment.file("loop.wasm", &component)?, "loop", "").await?;
    let digest = Digest::of(&component).to_string();
    let store = "wasmhost-components";
    let link = json!({ "name": digest, "bucket": store, "options": { "link": { "bucket": store, "name": digest } } });
    let subject = format!("$O.{store}.M.{}", URL_SAFE.encode(&digest));
    deployment.jetstream().publish(subject, link.to_string().into()).await?.await?;
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.loop.run.l", &[], "{}").await?;
    events.until_end("loop.run.l").await?.assert_failure("BadModule");
    let _: Value = deployment.client().await?.task("hello.run").submit(&json!({})).await?.result().await?;
    host.check_alive()
}
