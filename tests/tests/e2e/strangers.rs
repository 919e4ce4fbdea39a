//! Strangers send any bytes: on jobs, on the services, into the bucket of records. None of them ends a host or a client, and
//! what cannot be read is kept for people.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use async_nats::jetstream;
use end_to_end::{Deployment, Host, Stranger, malformed_blocks, status_blocks, until};
use futures::StreamExt;

use super::{Test, say};

const GOOD: &[u8] = b"NATS/1.0\r\nX: a\r\n\r\n";
const SERVICES: [&str; 3] =
    ["wasmhost.submit.hello.run.s", "wasmhost.status.hello.run.s", "wasmhost.revoke.hello.run.s"];

/// The dead letters: their subjects, with why.
async fn dead(deployment: &Deployment) -> anyhow::Result<BTreeMap<String, String>> {
    let jetstream = jetstream::new(deployment.nats.clone());
    let mut stream = jetstream.get_stream("WASMHOST_DEAD").await?;
    let count = stream.info().await?.state.last_sequence;
    let mut dead = BTreeMap::new();
    for sequence in 1..=count {
        let message = stream.direct_get(sequence).await?;
        let reason = message.headers.get("Wasmhost-Dead-Reason").context("no reason")?.to_string();
        dead.insert(message.subject.to_string(), reason);
    }
    Ok(dead)
}

/// How many messages still stand in the job stream.
async fn queued(deployment: &Deployment) -> anyhow::Result<u64> {
    let mut stream = jetstream::new(deployment.nats.clone()).get_stream("WASMHOST_JOBS").await?;
    Ok(stream.info().await?.state.messages)
}

async fn until_empty(deployment: &Deployment) -> Test {
    until("a job stream without messages", async || Ok((queued(deployment).await? == 0).then_some(()))).await
}

#[tokio::test]
async fn headers_that_no_client_can_read_cost_nobody_anything() -> Test {
    let deployment = Deployment::start().await?;
    let mut hosts =
        [deployment.host(&["--ack-wait", "3s"]).await?, deployment.host(&["--ack-wait", "3s"]).await?];
    deployment.push("hello").await?;
    let (audited, mut events) = (deployment.audited().await?, deployment.events().await?);
    let (mut stranger, blocks) = (deployment.stranger().await?, malformed_blocks());
    for (at, (_, block)) in blocks.iter().enumerate() {
        let with_id = format!("wasmhost.jobs.default.hello.run.bad-{at}");
        stranger.publish(with_id.as_bytes(), None, block, b"{}").await?;
        stranger.publish(b"wasmhost.jobs.default.hello.run", None, block, b"{}").await?;
        for service in SERVICES {
            stranger.publish(service.as_bytes(), Some("_INBOX.x"), block, b"{}").await?;
        }
        if at % 5 == 0 {
            let good = format!("wasmhost.jobs.default.hello.run.good-{at}");
            stranger.publish(good.as_bytes(), None, GOOD, b"{}").await?;
        }
    }
    stranger.flush().await?;
    for at in (0..blocks.len()).step_by(5) {
        let key = format!("hello.run.good-{at}");
        let end = events.until_end(&key).await?.last().clone();
        ensure!(end["state"] == "SUCCESS" && end["attempt"] == 1, "{key}: {end}");
        audited.accepted(&key)?;
    }
    for (at, (what, _)) in blocks.iter().enumerate() {
        let key = format!("hello.run.bad-{at}");
        let end = events.until_end(&key).await.context(*what)?.last().clone();
        let why = end["error"]["message"].as_str().unwrap_or_default().to_owned();
        ensure!(end["error"]["kind"] == "BadJob" && why.contains("headers are unreadable"), "{what}: {end}");
        audited.accepted(&key)?;
    }
    until_empty(&deployment).await?;
    let dead = dead(&deployment).await?;
    ensure!(dead.len() == 2 * blocks.len(), "{} of {}: {dead:#?}", dead.len(), 2 * blocks.len());
    ensure!(dead.values().all(|why| why.contains("headers are unreadable")), "{dead:#?}");
    hosts.iter_mut().try_for_each(Host::check_alive)?;
    audited.prove().await
}

#[tokio::test]
async fn a_status_is_no_answer_of_the_servers_when_a_stranger_sends_it() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let (mut stranger, mut events) = (deployment.stranger().await?, deployment.events().await?);
    for (at, (_, block)) in status_blocks().iter().enumerate() {
        let job = format!("wasmhost.jobs.default.hello.run.{at}");
        stranger.publish(job.as_bytes(), None, block, b"{}").await?;
        for service in SERVICES {
            stranger.publish(service.as_bytes(), Some("_INBOX.x"), block, b"{}").await?;
        }
    }
    stranger.flush().await?;
    for (at, (what, _)) in status_blocks().iter().enumerate() {
        let end = events.until_end(&format!("hello.run.{at}")).await.context(*what)?.last().clone();
        ensure!(end["state"] == "SUCCESS" && end["attempt"] == 1, "{what}: {end}");
    }
    until_empty(&deployment).await?;
    host.check_alive()
}

/// How many malformed messages a flood has, and as many good jobs; more by `WASMHOST_FLOOD`.
fn flood() -> usize {
    std::env::var_os("WASMHOST_FLOOD").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(400)
}

async fn flood_of(stranger: &mut Stranger, count: usize) -> Test {
    let blocks = malformed_blocks();
    for at in 0..count {
        let (_, block) = &blocks[at % blocks.len()];
        let subject = match at % 3 {
            0 => "wasmhost.jobs.default.hello.run".to_owned(),
            1 => format!("wasmhost.jobs.default.hello.run.bad-{at}"),
            _ => SERVICES[at / 3 % 3].to_owned(),
        };
        stranger.publish(subject.as_bytes(), Some("_INBOX.x"), block, b"{}").await?;
        let good = format!("wasmhost.jobs.default.hello.run.good-{at}");
        stranger.publish(good.as_bytes(), None, GOOD, b"{}").await?;
    }
    stranger.flush().await
}

async fn survives_a_flood(flags: &[&str], hosts: usize) -> Test {
    let deployment = Deployment::start().await?;
    let mut running = Vec::new();
    for _ in 0..hosts {
        running.push(deployment.host(flags).await?);
    }
    deployment.push("hello").await?;
    let (audited, mut events) = (deployment.audited().await?, deployment.events().await?);
    let count = flood();
    flood_of(&mut deployment.stranger().await?, count).await?;
    let mut memory = Vec::new();
    for at in 0..count {
        if at % (count / 10) == 0 {
            memory.push(running.iter().map(Host::memory).collect::<Result<Vec<_>, _>>()?);
        }
        let key = format!("hello.run.good-{at}");
        let end = events.until_end(&key).await?.last().clone();
        ensure!(end["state"] == "SUCCESS" && end["attempt"] == 1, "{key}: {end}");
        audited.accepted(&key)?;
    }
    until_empty(&deployment).await?;
    let bad = (0..count).filter(|at| at % 3 < 2).count();
    let dead = dead(&deployment).await?.len();
    ensure!(dead == bad, "{dead} dead letters for {bad} bad messages");
    running.iter_mut().try_for_each(Host::check_alive)?;
    say(&format!("memory of each host after each tenth of the flood, in bytes: {memory:?}"));
    audited.prove().await
}

#[tokio::test]
async fn a_flood_of_malformed_messages_costs_two_hosts_no_job() -> Test {
    survives_a_flood(&[], 2).await
}

#[tokio::test]
async fn a_flood_of_malformed_messages_costs_a_host_with_one_slot_no_job() -> Test {
    survives_a_flood(&["--slots", "1"], 1).await
}

#[tokio::test]
async fn subjects_that_name_no_job_are_kept_for_people() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut stranger = deployment.stranger().await?;
    let long = [b"wasmhost.jobs.default.hello.run.".as_slice(), &[b'a'; 2_000]].concat();
    let subjects: [&[u8]; 8] = [
        b"wasmhost.jobs.default.hello.run.\xff\xfe",
        b"wasmhost.jobs.default.\x00.run.1",
        b"wasmhost.jobs.default.hello.\x1b[2J.1",
        "wasmhost.jobs.default.hello.run.\u{202e}".as_bytes(),
        b"wasmhost.jobs.default.HELLO.run.1",
        b"wasmhost.jobs.default.hello.run.a$b",
        b"wasmhost.jobs.default.hello.-",
        &long,
    ];
    for subject in subjects {
        stranger.publish(subject, None, GOOD, b"{}").await?;
    }
    stranger.publish(b"wasmhost.jobs.default.hello.run.good", None, GOOD, b"{}").await?;
    stranger.flush().await?;
    until_empty(&deployment).await?;
    let dead = dead(&deployment).await?;
    ensure!(dead.len() == subjects.len(), "{dead:#?}");
    ensure!(dead.keys().all(|subject| subject.starts_with("wasmhost.dead.unreadable.")), "{dead:#?}");
    let record = deployment.record("hello.run.good").await?.context("no record")?;
    ensure!(record["state"] == "SUCCESS", "{record}");
    let log = host.log.text();
    ensure!(!log.contains(['\0', '\u{1b}', '\u{202e}']), "raw bytes of strangers in the log:\n{log}");
    host.check_alive()
}

#[tokio::test]
async fn services_answer_to_inboxes_only() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut stranger = deployment.stranger().await?;
    for subject in ["$SRV.PING", "$SRV.INFO.wasmhost", "$SRV.STATS", "wasmhost.status.hello.run.1"] {
        for reply in
            ["wasmhost.jobs.default.hello.run.evil", "$KV.wasmhost-states.hello.run.evil", "_INBOX.>"]
        {
            stranger.publish(subject.as_bytes(), Some(reply), GOOD, b"{}").await?;
        }
    }
    stranger.flush().await?;
    // Answered after them all, to an inbox.
    for subject in ["$SRV.PING", "$SRV.INFO.wasmhost", "$SRV.STATS.wasmhost"] {
        let answer = deployment.nats.request(subject, "".into()).await?;
        ensure!(answer.payload.starts_with(b"{"), "{subject}: {answer:?}");
    }
    ensure!(queued(&deployment).await? == 0);
    ensure!(deployment.record("hello.run.evil").await?.is_none());
    let stats = deployment.nats.request("$SRV.STATS.wasmhost", "".into()).await?;
    let stats: serde_json::Value = serde_json::from_slice(&stats.payload)?;
    ensure!(stats["endpoints"].as_array().is_some_and(|endpoints| endpoints.len() == 3), "{stats}");
    host.check_alive()
}

#[tokio::test]
async fn a_record_with_malformed_headers_ends_no_client() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["progress"]).await?;
    let audited = deployment.audited().await?;
    let client = deployment.client().await?;
    let arguments = serde_json::json!({ "steps": 20, "delay_ms": 100 });
    let job = client.task("progress.run").id("1").submit(&arguments).await?;
    let mut states = job.watch().await?.into_stream();
    let mut watching = deployment.command().follow(&["watch", "progress.run.1"])?;
    states.next().await.context("no state")?;
    let mut stranger = deployment.stranger().await?;
    for (at, (_, block)) in malformed_blocks().iter().enumerate() {
        // Into the bucket, and where it republishes.
        let (other, event) = (format!("$KV.wasmhost-states.x.y.{at}"), "wasmhost.events.progress.run.1");
        stranger.publish(other.as_bytes(), None, block, b"{}").await?;
        stranger.publish(event.as_bytes(), None, block, b"{}").await?;
        stranger.publish(b"wasmhost.control.revoke.progress.run.1", None, block, b"{}").await?;
    }
    stranger.flush().await?;
    let mut last = None;
    while let Some(record) = states.next().await {
        last = Some(record.state().to_string());
    }
    ensure!(last.as_deref() == Some("SUCCESS"), "{last:?}");
    ensure!(watching.end().await? == 0, "{}", watching.stderr.text());
    let listed = deployment.wasmhost(&["jobs", "--json"]).await?.json_lines()?;
    ensure!(listed.len() == 1, "{listed:?}");
    host.check_alive()?;
    audited.accepted("progress.run.1")?;
    drop(audited);
    Ok(())
}
