//! What a guest without any power can make its host hold and do stays within its limits and a margin, and its neighbours go on.

use std::time::{Duration, Instant};

use anyhow::ensure;
use end_to_end::{Deployment, Host};
use serde_json::{Value, json};

use super::{Test, say};

/// The memory limit of the guests here, in bytes.
const LIMIT: u64 = 64 << 20;

/// What the host may take for a guest besides its limit, as the README promises, in bytes.
const MARGIN: u64 = 16 << 20;

const POLICY: &str = "[limits]\nmemory_bytes = 67108864\ncpu = \"20s\"\n";
/// How long a revoke may take, as the README promises.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The arguments of `hoarder.run` that are tried.
const HOARDS: [&str; 8] = [
    r#"{"keep":"methods","n":100,"bytes":20000000}"#,
    r#"{"keep":"methods","n":9000,"bytes":60000}"#,
    r#"{"keep":"again","n":100,"bytes":20000000}"#,
    r#"{"keep":"addresses","n":9000,"bytes":60000}"#,
    r#"{"keep":"fields","n":9000,"bytes":60000}"#,
    r#"{"keep":"fields","n":9000,"bytes":1}"#,
    r#"{"keep":"bodies","n":4000}"#,
    r#"{"keep":"poll","n":1,"bytes":4000000}"#,
];

/// A component whose function `f` returns a list of `count` elements of `element`, all of whose `bytes` are set to `fill`.
fn list(types: &str, element: &str, count: u32, bytes: u32, fill: u8) -> String {
    let size = count * bytes;
    let pages = size / 65536 + 2;
    format!(
        "(component
            (core module $m
                (memory (export \"m\") {pages})
                (func (export \"f\") (result i32)
                    (memory.fill (i32.const 65536) (i32.const {fill}) (i32.const {size}))
                    (i32.store (i32.const 8) (i32.const 65536))
                    (i32.store (i32.const 12) (i32.const {count}))
                    (i32.const 8)))
            (core instance $i (instantiate $m))
            {types}
            (type $list (list {element}))
            (func $f (result $list) (canon lift (core func $i \"f\") (memory (core memory $i \"m\"))))
            (export \"f\" (func $f)))"
    )
}

fn names(count: u32) -> String {
    (0..count).map(|n| format!("\"n{n}\" ")).collect()
}

/// Typed results that are small in the guest and large in its host, or slow to read: 32 flags in four bytes, and cases of an
/// enum or a variant that has thousands of them.
fn results() -> [(&'static str, String); 6] {
    let flags = format!("(type $t (flags {})) (export $e \"e\" (type $t))", names(32));
    let cases = format!("(type $t (enum {})) (export $e \"e\" (type $t))", names(9_000));
    let variants: String = (0..5_000).map(|n| format!("(case \"n{n}\") ")).collect();
    let variants = format!("(type $t (variant {variants})) (export $e \"e\" (type $t))");
    [
        ("flags", list(&flags, "$e", 850_000, 4, 0xff)),
        ("some-flags", list(&flags, "$e", 10_000, 4, 0xff)),
        ("enums", list(&cases, "$e", 1_400_000, 2, 0x22)),
        ("some-enums", list(&cases, "$e", 4_000, 2, 0x22)),
        ("variants", list(&variants, "$e", 1_400_000, 2, 0x12)),
        ("texts", list("", "string", 6_000_000, 8, 0)),
    ]
}

/// Starts a host with a neighbour and the hoarders, all of which were compiled and have run once.
async fn hosted() -> anyhow::Result<(Deployment, Host)> {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&["--slots", "4"]).await?;
    deployment.push("hello").await?;
    deployment.push_as("hoarder", "hoarder", POLICY).await?;
    let mut events = deployment.events().await?;
    for (name, text) in results() {
        let file = deployment.file(&format!("{name}.wasm"), &wat::parse_str(&text)?)?;
        deployment.push_file(&file, name, POLICY).await?;
    }
    let warm = [("hello.run", "{}"), ("hoarder.run", r#"{"keep":"methods","n":1,"bytes":1}"#)];
    for (task, body) in warm {
        deployment.publish(&format!("wasmhost.jobs.default.{task}.warm"), &[], body).await?;
        events.until_end(&format!("{task}.warm")).await?.assert_success();
    }
    Ok((deployment, host))
}

/// Runs a job, and returns its last record and by how much the host's memory rose meanwhile.
async fn rise(deployment: &Deployment, host: &Host, key: &str, body: &str) -> anyhow::Result<(Value, u64)> {
    let mut events = deployment.events().await?;
    host.forget_peak()?;
    let before = host.memory()?;
    deployment.publish(&format!("wasmhost.jobs.default.{key}"), &[], body).await?;
    let end = events.until_end(key).await?.last().clone();
    Ok((end, host.memory_peak()?.saturating_sub(before)))
}

#[tokio::test]
async fn what_a_host_holds_for_a_guest_is_within_the_guests_limit() -> Test {
    let (deployment, mut host) = hosted().await?;
    let hoards =
        HOARDS.iter().enumerate().map(|(at, body)| (format!("hoarder.run.{at}"), (*body).to_owned()));
    let results = results().map(|(name, _)| (format!("{name}.f.0"), String::new()));
    for (key, body) in hoards.chain(results) {
        let began = Instant::now();
        let (end, rise) = rise(&deployment, &host, &key, &body).await?;
        let took = began.elapsed();
        let kind = &end["error"]["kind"];
        say(&format!("{key} {body}: {} {kind} in {took:?}, {} KiB more", end["state"], rise >> 10));
        ensure!(rise < LIMIT + MARGIN, "{key} {body}: {} MiB more; {end}", rise >> 20);
    }
    host.check_alive()
}

#[tokio::test]
async fn a_hoarder_is_revoked_within_a_second() -> Test {
    let (deployment, mut host) = hosted().await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    for (at, keep) in ["methods", "fields", "bodies"].iter().enumerate() {
        let id = format!("r{at}");
        let hoard = json!({ "keep": keep, "n": 100, "bytes": 8000, "spin": true });
        let job = client.task("hoarder.run").id(&id).submit(&hoard).await?;
        events.until_state(&format!("hoarder.run.{id}"), "STARTED").await?;
        let asked = Instant::now();
        job.revoke("enough").await?;
        ensure!(asked.elapsed() < AT_ONCE, "{keep}: it took {:?}", asked.elapsed());
    }
    host.check_alive()
}

/// Runs 200 jobs one after the other, and returns the time that 99 in a hundred take at most.
async fn neighbours(deployment: &Deployment, round: &str) -> anyhow::Result<Duration> {
    let client = deployment.client().await?;
    let mut took = Vec::new();
    for at in 0..200 {
        let began = Instant::now();
        let job =
            client.task("hello.run").id(&format!("{round}{at}")).submit(&json!({ "name": "Ada" })).await?;
        let greeting: Value = job.result().await?;
        ensure!(greeting["greeting"] == "Hello, Ada!", "{greeting}");
        took.push(began.elapsed());
    }
    took.sort();
    Ok(took[197])
}

/// Prints the times. They mean something on an idle machine only, so that none is asserted.
#[tokio::test]
async fn neighbours_of_hoarders_go_on() -> Test {
    let (deployment, mut host) = hosted().await?;
    let client = deployment.client().await?;
    let alone = neighbours(&deployment, "alone").await?;
    let hoard = r#"{"keep":"methods","n":9000,"bytes":60000}"#;
    let all = [("hoarder", "run", hoard), ("flags", "f", ""), ("enums", "f", ""), ("variants", "f", "")];
    for (module, function, body) in all {
        let task = format!("{module}.{function}");
        let hostile = async {
            for at in 0.. {
                let job = client.task(&task).id(&format!("n{at}")).submit_json(body.to_owned()).await?;
                drop(job.raw_result().await);
            }
            anyhow::Ok(())
        };
        let beside = tokio::select! {
            ended = hostile => return ended,
            beside = neighbours(&deployment, module) => beside?,
        };
        say(&format!("p99 of a neighbour: {alone:?} alone, {beside:?} beside {task}"));
    }
    host.check_alive()
}
