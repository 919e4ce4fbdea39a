//! The bounds of what may be asked for: the largest value works on the server, and a larger one is refused by an error that names
//! it.

use anyhow::{Context, ensure};
use async_nats::HeaderMap;
use bytes::Bytes;
use end_to_end::{Deployment, guest_path, until, until_true};
use serde_json::{Value, json};

use super::Test;

/// Stores a record whose time to live is too long for the server to count, and waits until the server has deleted it. By then the
/// server has looked at the time to live of every record before it.
async fn until_the_uncountable_has_expired(deployment: &Deployment) -> Test {
    let mut headers = HeaderMap::new();
    // 300 years.
    headers.insert("Nats-TTL", "9460800000");
    let subject = "$KV.wasmhost-states.nobodys.job.uncountable";
    deployment.jetstream().publish_with_headers(subject, headers, Bytes::from_static(b"{}")).await?.await?;
    until_true("the end of what the server cannot count", async || {
        Ok(deployment.record("nobodys.job.uncountable").await?.is_none())
    })
    .await
}

/// Checks that a job's record is still there, and has this state.
async fn is_kept(deployment: &Deployment, key: &str, state: &str) -> Test {
    until_the_uncountable_has_expired(deployment).await?;
    let record = deployment.known_record(key).await?;
    ensure!(record["state"] == state, "{record}");
    Ok(())
}

/// Writes the configuration of a host that allows everything within the bounds, and returns its path.
fn no_ceiling(deployment: &Deployment) -> anyhow::Result<String> {
    let text = "[ceiling.limits]\nmemory = \"4G\"\ntable-elements = 10000000\nhandles = 1000000\ncpu = \"30d\"\n\
         soft-timeout = \"30d\"\ntimeout = \"30d\"\nresult = \"64M\"\nmeta = \"256K\"\ncheckpoint = \"64M\"\n\
         updates-per-second = 1000\n[ceiling.retry]\nmax-attempts = 1000000\ninitial-delay = \"1d\"\nfactor = 100\n\
         max-delay = \"1d\"\nmax-lost = 1000\n";
    Ok(deployment.file("host.toml", text.as_bytes())?.display().to_string())
}

#[tokio::test]
async fn a_result_is_kept_for_as_long_as_may_be_asked_for() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let submit = async |id: &str, ttl: &str| {
        deployment.wasmhost(&["submit", "hello.run", "{}", "--id", id, "--result-ttl", ttl, "--wait"]).await
    };
    submit("kept", "3650d").await?.ok()?;
    is_kept(&deployment, "hello.run.kept", "SUCCESS").await?;
    let bound = "100000d is more than 3650d, the most that may be asked for";
    submit("over", "100000d").await?.refused(2, &["--result-ttl", bound])?;

    let headers = [("Wasmhost-Result-TTL", "100000d")];
    let answer = deployment.outsider()?.req("wasmhost.submit.hello.run.over", &headers, "{}").await?;
    ensure!(answer.contains("BadRequest") && answer.contains(bound), "{answer}");
    let mut events = deployment.events().await?;
    deployment.publish("wasmhost.jobs.default.hello.run.raw", &headers, "{}").await?;
    events.until_end("hello.run.raw").await?.assert_failure("BadJob").assert_message(&[bound]);
    Ok(())
}

#[tokio::test]
async fn a_job_that_is_revoked_long_before_it_is_due_stays_revoked() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let at = ["submit", "hello.run", "{}", "--id", "far", "--at", "2262-01-01T00:00:00Z"];
    deployment.wasmhost(&at).await?.ok()?;
    deployment.wasmhost(&["revoke", "hello.run.far"]).await?.ok()?;
    is_kept(&deployment, "hello.run.far", "REVOKED").await?;
    let late = ["submit", "hello.run", "{}", "--at", "2262-01-01T00:00:00.001Z"];
    deployment.wasmhost(&late).await?.refused(2, &["--at", "2262-01-01T00:00:00.000Z, the most"])
}

#[tokio::test]
async fn every_option_of_a_job_works_at_its_bound() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--config", &no_ceiling(&deployment)?]).await?;
    let most = [
        ["--timeout", "30d"],
        ["--max-attempts", "1000000"],
        ["--expires", "2262-01-01T00:00:00Z"],
        ["--result-ttl", "3650d"],
    ];
    // The module's own policy allows as much.
    deployment.push_as("hello", "hello", "[limits]\ntimeout = \"30d\"\ncpu = \"30d\"\n").await?;
    let line: Vec<_> = ["submit", "hello.run", "{}", "--wait"].into_iter().chain(most.concat()).collect();
    deployment.wasmhost(&line).await?.ok()?;
    for [flag, value, bound] in [
        ["--timeout", "30d1ms", "30d, the most"],
        ["--timeout", "0", "1ms, the least"],
        ["--max-attempts", "1000001", "from 1 to 1000000"],
        ["--max-attempts", "0", "from 1 to 1000000"],
        ["--expires", "99999999d", "2262-01-01T00:00:00.000Z, the most"],
        ["--delay", "99999999d", "2262-01-01T00:00:00.000Z, the most"],
    ] {
        let ran = deployment.wasmhost(&["submit", "hello.run", "{}", flag, value]).await?;
        ran.refused(2, &[flag, bound])?;
    }
    host.check_alive()
}

#[tokio::test]
async fn a_grace_for_a_revoke_has_a_bound() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "steps": 20, "delay_ms": 100 });
    deployment.client().await?.task("progress.run").id("g").submit(&arguments).await?;
    events.until_state("progress.run.g", "PROGRESS").await?;
    let ran = deployment.wasmhost(&["revoke", "progress.run.g", "--grace", "31d"]).await?;
    ran.refused(2, &["--grace", "30d, the most"])?;
    let revoke = "wasmhost.revoke.progress.run.g";
    let answer = deployment.outsider()?.req(revoke, &[], r#"{"grace":"99999999d"}"#).await?;
    ensure!(answer.contains("BadRequest") && answer.contains("more than 30d, the most"), "{answer}");
    let answer = deployment.outsider()?.req(revoke, &[], r#"{"grace":"30d"}"#).await?;
    ensure!(serde_json::from_str::<Value>(&answer)?["revoke"]["stop_at"].is_string(), "{answer}");
    events.until_end("progress.run.g").await?.assert_revoked();
    host.check_alive()
}

#[tokio::test]
async fn a_policy_has_bounds_that_are_reported_with_their_lines() -> Test {
    let deployment = Deployment::start().await?;
    let text = "result_ttl = \"0\"\n[limits]\nmemory_bytes = 0\nupdates_per_second = 4000000000\n";
    let file = deployment.file("policy.toml", text.as_bytes())?.display().to_string();
    let component = guest_path("hello")?;
    for command in [&["module", "push", &component][..], &["run", &component]] {
        let ran = deployment.wasmhost(&[command, &["--policy", &file]].concat()).await?;
        ran.refused(
            78,
            &[
                format!("{file}:1: `result_ttl`: 0 is less than 1s, the least"),
                format!("{file}:3: `limits.memory_bytes`: 0 is less than 65536, the least"),
                format!("{file}:4: `limits.updates_per_second`: 4000000000 is more than 1000, the most"),
            ],
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_policy_beside_its_bounds_in_the_registry_is_taken_at_them() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--config", &no_ceiling(&deployment)?]).await?;
    deployment.push("progress").await?;
    let bucket = deployment.bucket("wasmhost-modules").await?;
    let entry = bucket.get("progress").await?.context("the module")?;
    let mut entry: Value = serde_json::from_slice(&entry)?;
    entry["policy"]["result_ttl"] = json!("99999999d");
    entry["policy"]["limits"]["cpu"] = json!("199999999999d");
    entry["policy"]["limits"]["timeout"] = json!("199999999999d");
    entry["policy"]["limits"]["soft_timeout"] = json!("199999999999d");
    entry["policy"]["limits"]["updates_per_second"] = json!(0);
    entry["policy"]["limits"]["memory_bytes"] = json!(u64::MAX);
    entry["policy"]["limits"]["checkpoint_bytes"] = json!(u64::MAX);
    entry["policy"]["retry"]["max_attempts"] = json!(u32::MAX);
    entry["policy"]["retry"]["initial_delay"] = json!("199999999999d");
    entry["policy"]["retry"]["factor"] = json!(1e300);
    bucket.put("progress", entry.to_string().into()).await?;

    // The host hears of the entry in its own time: a job that was claimed before it has another bound of attempts.
    let client = deployment.client().await?;
    let arguments = json!({ "steps": 2, "delay_ms": 10 });
    let key = until("a job under the changed policy", async || {
        let job = client.task("progress.run").submit(&arguments).await?;
        let _: Value = job.result().await?;
        let key = job.key().to_string();
        let record = deployment.known_record(&key).await?;
        Ok((record["max_attempts"] == 1_000_000).then_some(key))
    })
    .await?;
    is_kept(&deployment, &key, "SUCCESS").await?;
    host.check_alive()
}

#[tokio::test]
async fn a_host_serves_with_every_setting_at_its_most_and_at_its_least() -> Test {
    let deployment = Deployment::start().await?;
    let queues = (1..256).map(|number| format!("q{number}:1000")).collect::<Vec<_>>().join(",");
    let queues = format!("default:1000,{queues}");
    let most = [
        ["--queues", &queues],
        ["--slots", "10000"],
        ["--memory-limit", "4G"],
        ["--grace", "30d"],
        ["--ack-wait", "1d"],
        ["--reconcile-after", "1d"],
        ["--storage", "7M"],
    ];
    let mut host = deployment.host(&most.concat()).await?;
    deployment.push("hello").await?;
    deployment.wasmhost(&["submit", "hello.run", "{}", "--wait"]).await?.ok()?;
    host.check_alive()?;
    host.drain().await?;

    let least = ["--queues", "low:1", "--slots", "1", "--grace", "0", "--ack-wait", "1s"];
    let more = ["--reconcile-after", "100ms", "--memory-limit", "2M"];
    let mut host = deployment.host(&[&least[..], &more].concat()).await?;
    deployment.push_as("hello", "hello", "[limits]\nmemory_bytes = 2097152\n").await?;
    deployment.wasmhost(&["submit", "hello.run", "{}", "--queue", "low", "--wait"]).await?.ok()?;
    host.check_alive()
}

#[tokio::test]
async fn a_setting_of_a_host_beside_its_bounds_is_refused() -> Test {
    let deployment = Deployment::start().await?;
    let many = (0..257).map(|number| format!("q{number}")).collect::<Vec<_>>().join(",");
    for [flag, value, bound] in [
        ["--queues", &many, "257 is more than 256, the most"],
        ["--queues", "a:1001", "from 1 to 1000"],
        ["--slots", "10001", "from 1 to 10000"],
        ["--slots", "0", "from 1 to 10000"],
        ["--memory-limit", "0", "from 64.0 KiB to 4.0 GiB"],
        ["--memory-limit", "5G", "from 64.0 KiB to 4.0 GiB"],
        ["--memory", "31M", "from 32.0 MiB"],
        ["--memory", "1001%", "from 1 to 1000"],
        ["--grace", "31d", "30d, the most"],
        ["--ack-wait", "0", "1s, the least"],
        ["--ack-wait", "99999999999d", "1d, the most"],
        ["--reconcile-after", "99999999999d", "1d, the most"],
        ["--storage", "0", "from 7.0 MiB"],
        ["--replicas", "6", "from 1 to 5"],
    ] {
        deployment.wasmhost(&["serve", flag, value]).await?.refused(2, &[flag, bound])?;
    }
    Ok(())
}
