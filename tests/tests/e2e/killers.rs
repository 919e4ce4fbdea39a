//! Tasks that kill their hosts, or seem to: each ends, and takes no neighbour with it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::jetstream::AckKind;
use end_to_end::{Deployment, History, Host};
use futures::{StreamExt, future::try_join_all};
use serde_json::json;

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--slots", "256"];
const NEIGHBOURS: usize = 199;

/// How long a delivery is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts a host, and returns it with its id.
async fn named_host(deployment: &Deployment) -> anyhow::Result<(String, Host)> {
    let host = deployment.host(&FLAGS).await?;
    Ok((host.known_id()?, host))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_jobs_on_a_host_that_one_kills_199_succeed() -> Test {
    let deployment = Deployment::start().await?;
    let mut hosts = vec![named_host(&deployment).await?];
    // With so little memory for each, all of them run at once on small machines, too.
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
        let next = |history: &History| history.attempts().len() > claims || history.has_ended();
        let history = events.until("storm.run.killer", next).await?;
        if history.has_ended() {
            break;
        }
        claims = history.attempts().len();
        let host = history.last()["host"].as_str().context("a claim names its host")?.to_owned();
        let at = hosts.iter().position(|(id, _)| *id == host).context("a host of ours")?;
        hosts.remove(at).1.kill().await?;
        hosts.push(named_host(&deployment).await?);
    }
    let killer = events.until_end("storm.run.killer").await?;
    killer.assert_failure("WorkerLost");
    ensure!(claims >= 3, "it was given its chances: {killer}");
    let mut attempts = BTreeSet::new();
    for id in 0..NEIGHBOURS {
        let history = events.until_end(&format!("storm.run.n{id}")).await?;
        history.assert_success();
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
    events.until_end("storm.run.once").await?.assert_failure("WorkerLost").assert_attempt(1);
    Ok(())
}

#[tokio::test]
async fn a_message_that_no_host_survived_twenty_times_is_poison() -> Test {
    let deployment = Deployment::start().await?;
    drop(deployment.host(&FLAGS).await?);
    let mut events = deployment.events().await?;
    deployment.client().await?.task("storm.run").unchecked().id("poison").submit(&json!({})).await?;
    let queue = deployment.consumer("default").await?;
    for _ in 0..20 {
        let mut delivered = queue.batch().max_messages(1).expires(PATIENCE).messages().await?;
        let message =
            delivered.next().await.context("a delivery")?.map_err(|error| anyhow::anyhow!("{error}"))?;
        message.ack_with(AckKind::Nak(None)).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let _next = deployment.host(&FLAGS).await?;
    let history = events.until_end("storm.run.poison").await?;
    // It never ran.
    history.assert_states(["PENDING", "FAILURE"]).assert_failure("Poison");
    Ok(())
}
