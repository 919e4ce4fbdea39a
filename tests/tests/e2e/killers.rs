//! Tasks that kill their hosts, or look as if they did: each ends, and takes no neighbour with it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, AckKind, consumer::PullConsumer};
use end_to_end::{Deployment, History, Host};
use futures::{StreamExt, future::try_join_all};
use serde_json::json;

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--slots", "256"];
const NEIGHBOURS: usize = 199;

/// How long a delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host, and the id that its records carry.
async fn named_host(deployment: &Deployment) -> anyhow::Result<(String, Host)> {
    let host = deployment.host(&FLAGS).await?;
    let id = host.id().context("a host that serves has an id")?;
    Ok((id, host))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_jobs_on_a_host_that_one_kills_199_succeed() -> Test {
    let deployment = Deployment::start().await?;
    let mut hosts = vec![named_host(&deployment).await?];
    // So many at once have the memory that is reserved for them on small machines too.
    deployment.push_as("storm", "storm", "[limits]\nmemory_bytes = 8388608\n").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let neighbour = json!({ "sleep_ms": 60_000, "slow_until_attempt": 1 });
    let submit = async |id: String, arguments| client.task("storm.run").id(&id).submit(arguments).await;
    try_join_all((0..NEIGHBOURS).map(|id| submit(format!("n{id}"), &neighbour))).await?;
    for id in 0..NEIGHBOURS {
        events.until_state(&format!("storm.run.n{id}"), "STARTED").await?;
    }
    submit("killer".to_owned(), &json!({ "kills_host": true })).await?;
    let mut claims = 0;
    loop {
        let next = |history: &History| claims_of(history).len() > claims || has_ended(history);
        let history = events.until("storm.run.killer", next).await?;
        if has_ended(&history) {
            break;
        }
        claims = claims_of(&history).len();
        let host = history.last()["host"].as_str().context("a claim names its host")?.to_owned();
        let at = hosts.iter().position(|(id, _)| *id == host).context("a host of ours")?;
        hosts.remove(at).1.kill().await?;
        hosts.push(named_host(&deployment).await?);
    }
    let killer = events.until_end("storm.run.killer").await?;
    assert_eq!(killer.last()["error"]["kind"], "WorkerLost", "{killer}");
    ensure!(claims >= 3, "it was given its chances: {killer}");
    let mut attempts = BTreeSet::new();
    for id in 0..NEIGHBOURS {
        let history = events.until_end(&format!("storm.run.n{id}")).await?;
        assert_eq!(history.last()["state"], "SUCCESS", "{history}");
        attempts.insert(history.last()["attempt"].as_u64());
    }
    ensure!(!attempts.contains(&Some(1)), "all of them ran on the host that was killed first: {attempts:?}");
    Ok(())
}

#[tokio::test]
async fn a_task_that_may_run_at_most_once_is_not_run_again_when_its_host_dies() -> Test {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push_as("storm", "storm", "[retry]\nmax_lost = 0\n").await?;
    let mut events = deployment.events().await?;
    deployment.client().await?.task("storm.run").id("once").submit(&json!({ "sleep_ms": 60_000 })).await?;
    events.until_state("storm.run.once", "STARTED").await?;
    host.kill().await?;
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.once").await?;
    let last = history.last();
    assert_eq!((&last["error"]["kind"], &last["attempt"]), (&json!("WorkerLost"), &json!(1)), "{history}");
    Ok(())
}

#[tokio::test]
async fn a_message_that_no_host_survived_twenty_times_is_poison() -> Test {
    let deployment = Deployment::start().await?;
    drop(deployment.host(&FLAGS).await?);
    let mut events = deployment.events().await?;
    deployment.client().await?.task("storm.run").unchecked().id("poison").submit(&json!({})).await?;
    let jobs = jetstream::new(deployment.nats.clone()).get_stream("WASMHOST_JOBS").await?;
    let queue: PullConsumer =
        jobs.get_consumer("wasmhost-default").await.map_err(|error| anyhow::anyhow!("{error}"))?;
    for _ in 0..20 {
        let mut delivered = queue.batch().max_messages(1).expires(PATIENCE).messages().await?;
        let message =
            delivered.next().await.context("a delivery")?.map_err(|error| anyhow::anyhow!("{error}"))?;
        message.ack_with(AckKind::Nak(None)).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.poison").await?;
    assert_eq!(history.states(), ["PENDING", "FAILURE"], "it never ran: {history}");
    assert_eq!(history.last()["error"]["kind"], "Poison", "{history}");
    Ok(())
}

fn claims_of(history: &History) -> BTreeSet<u64> {
    history
        .0
        .iter()
        .filter_map(|transition| transition.record["attempt"].as_u64())
        .filter(|a| *a > 0)
        .collect()
}

fn has_ended(history: &History) -> bool {
    history.0.iter().any(end_to_end::Transition::is_terminal)
}
