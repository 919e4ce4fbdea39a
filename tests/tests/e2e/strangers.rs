//! Strangers send any bytes: as jobs, to the services, into the bucket of records. None of them ends a host or a client, and what
//! cannot be read is dead-lettered.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Host, JOBS, Stranger, malformed_blocks, number, status_blocks};
use futures::StreamExt;

use super::{Test, say};

const GOOD: &[u8] = b"NATS/1.0\r\nX: a\r\n\r\n";
const SERVICES: [&str; 3] =
    ["wasmhost.submit.hello.run.s", "wasmhost.status.hello.run.s", "wasmhost.revoke.hello.run.s"];

/// The dead-letter copies: their subjects, with the reasons.
async fn dead(deployment: &Deployment) -> anyhow::Result<BTreeMap<String, String>> {
    let letters = deployment.dead_letters().await?.into_iter();
    Ok(letters.map(|letter| (letter.subject, letter.reason)).collect())
}

#[tokio::test]
async fn headers_that_no_client_can_read_cost_nobody_anything() -> Test {
    let deployment = Deployment::start().await?;
    let mut hosts =
        [deployment.host(&["--ack-wait", "3s"]).await?, deployment.host(&["--ack-wait", "3s"]).await?];
    deployment.push("hello").await?;
    let audited = deployment.audited().await?;
    let mut events = deployment.events().await?;
    let mut stranger = deployment.stranger().await?;
    let blocks = malformed_blocks();
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
        events.until_end(&key).await?.assert_success().assert_attempt(1);
        audited.accepted(&key)?;
    }
    for (at, (what, _)) in blocks.iter().enumerate() {
        let key = format!("hello.run.bad-{at}");
        let history = events.until_end(&key).await.context(*what)?;
        history.assert_failure("BadJob").assert_message(&["headers are unreadable"]);
        audited.accepted(&key)?;
    }
    deployment.until_queue_empty().await?;
    let dead = dead(&deployment).await?;
    ensure!(dead.len() == 2 * blocks.len(), "{} of {}: {dead:#?}", dead.len(), 2 * blocks.len());
    ensure!(dead.values().all(|why| why.contains("headers are unreadable")), "{dead:#?}");
    hosts.iter_mut().try_for_each(Host::check_alive)?;
    audited.prove().await
}

#[tokio::test]
async fn a_status_is_no_answer_of_the_servers_when_a_stranger_sends_it() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut stranger = deployment.stranger().await?;
    let mut events = deployment.events().await?;
    for (at, (_, block)) in status_blocks().iter().enumerate() {
        let job = format!("wasmhost.jobs.default.hello.run.{at}");
        stranger.publish(job.as_bytes(), None, block, b"{}").await?;
        for service in SERVICES {
            stranger.publish(service.as_bytes(), Some("_INBOX.x"), block, b"{}").await?;
        }
    }
    stranger.flush().await?;
    for (at, (what, _)) in status_blocks().iter().enumerate() {
        let history = events.until_end(&format!("hello.run.{at}")).await.context(*what)?;
        history.assert_success().assert_attempt(1);
    }
    deployment.until_queue_empty().await?;
    host.check_alive()
}

/// Sends this many malformed messages, and as many good jobs.
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
    let audited = deployment.audited().await?;
    let mut events = deployment.events().await?;
    let count = usize::try_from(number("WASMHOST_FLOOD", 400))?;
    flood_of(&mut deployment.stranger().await?, count).await?;
    let mut memory = Vec::new();
    for at in 0..count {
        if at % (count / 10) == 0 {
            memory.push(running.iter().map(Host::memory).collect::<Result<Vec<_>, _>>()?);
        }
        let key = format!("hello.run.good-{at}");
        events.until_end(&key).await?.assert_success().assert_attempt(1);
        audited.accepted(&key)?;
    }
    deployment.until_queue_empty().await?;
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
async fn subjects_that_name_no_job_are_dead_lettered() -> Test {
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
    deployment.until_queue_empty().await?;
    let dead = dead(&deployment).await?;
    ensure!(dead.len() == subjects.len(), "{dead:#?}");
    ensure!(dead.keys().all(|subject| subject.starts_with("wasmhost.dead.unreadable.")), "{dead:#?}");
    let record = deployment.known_record("hello.run.good").await?;
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
    // These are answered after all of the others, because they want the answer in an inbox.
    for subject in ["$SRV.PING", "$SRV.INFO.wasmhost", "$SRV.STATS.wasmhost"] {
        let answer = deployment.nats.request(subject, "".into()).await?;
        ensure!(answer.payload.starts_with(b"{"), "{subject}: {answer:?}");
    }
    ensure!(deployment.messages(JOBS).await? == 0);
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
        // Into the bucket, and to the subjects to which it republishes.
        let other = format!("$KV.wasmhost-states.x.y.{at}");
        let event = "wasmhost.events.progress.run.1";
        stranger.publish(other.as_bytes(), None, block, b"{}").await?;
        stranger.publish(event.as_bytes(), None, block, b"{}").await?;
        stranger.publish(b"wasmhost.control.revoke.progress.run.1", None, block, b"{}").await?;
    }
    stranger.flush().await?;
    let mut last = None;
    while let Some(record) = states.next().await {
        last = Some(record.label().to_string());
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
