//! A host is cut off from the server while it runs a job: for a short and for a long time, in each direction and in both.

use std::time::Duration;

use anyhow::ensure;
use end_to_end::{Deployment, Direction, Events, Flow, History, Host, Proxy, within};
use serde_json::{Value, json};

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// A time that is shorter than the acknowledgement wait, so that no host takes over.
const SHORT: Duration = Duration::from_millis(800);

/// A job whose first attempt ends by itself, for a partition that it outlives.
fn ends_by_itself() -> Value {
    json!({ "sleep_ms": 5_000, "steps": 100, "slow_until_attempt": 1 })
}

/// A job whose first attempt never ends by itself, and whose second one ends at once.
fn ends_elsewhere() -> Value {
    json!({ "sleep_ms": 600_000, "steps": 12_000, "slow_until_attempt": 1 })
}

/// A job that runs on a host behind a proxy, and publishes its progress each 50 ms.
struct Cut {
    deployment: Deployment,
    proxy: Proxy,
    host: Host,
    events: Events,
}

impl Cut {
    /// Starts a host with one slot, and a job on it.
    async fn running(arguments: Value) -> anyhow::Result<Self> {
        let deployment = Deployment::start().await?;
        let proxy = deployment.proxy().await?;
        let host = deployment.host_behind(&proxy, &[&FLAGS[..], &["--slots", "1"]].concat()).await?;
        deployment.push("storm").await?;
        let mut events = deployment.events().await?;
        deployment.client().await?.task("storm.run").id("p").submit(&arguments).await?;
        events.until_state("storm.run.p", "PROGRESS").await?;
        Ok(Self { deployment, proxy, host, events })
    }

    async fn end(&mut self) -> anyhow::Result<History> {
        let history = self.events.until_end("storm.run.p").await?;
        history.assert_success();
        Ok(history)
    }

    /// Waits for the claim of another host.
    async fn until_taken_over(&mut self) -> Test {
        self.events.until_attempt("storm.run.p", 2).await.map(drop)
    }

    /// Checks that the host that was cut off, which is the only one now, runs one more job: its connection is whole again, and
    /// it has stopped the guest that had its only slot.
    async fn works_again(&mut self) -> Test {
        let job = self.deployment.client().await?.task("storm.run").submit(&json!({})).await?;
        let _: Value = within("a job after the partition", job.result()).await??;
        self.host.check_alive()
    }
}

async fn short(direction: Direction) -> Test {
    let mut cut = Cut::running(ends_by_itself()).await?;
    cut.proxy.flow(direction, Flow::Stalled);
    tokio::time::sleep(SHORT).await;
    cut.proxy.flow(direction, Flow::Open);
    ensure!(cut.proxy.held() > 0, "nothing was held back");
    let history = cut.end().await?;
    history.assert_attempt(1);
    cut.works_again().await
}

async fn long(direction: Direction) -> Test {
    let mut cut = Cut::running(ends_elsewhere()).await?;
    cut.proxy.flow(direction, Flow::Stalled);
    let next = cut.deployment.host(&FLAGS).await?;
    cut.until_taken_over().await?;
    cut.proxy.flow(direction, Flow::Open);
    let history = cut.end().await?;
    next.kill().await?;
    history.assert_attempt(2).assert_lost(1);
    cut.works_again().await
}

#[tokio::test]
async fn a_host_that_is_not_heard_for_a_moment_keeps_its_job() -> Test {
    short(Direction::ToServer).await
}

#[tokio::test]
async fn a_host_that_hears_nothing_for_a_moment_keeps_its_job() -> Test {
    short(Direction::ToClient).await
}

#[tokio::test]
async fn a_host_that_is_not_heard_for_longer_loses_its_job_and_changes_nothing() -> Test {
    long(Direction::ToServer).await
}

#[tokio::test]
async fn a_host_that_hears_nothing_for_longer_loses_its_job_and_changes_nothing() -> Test {
    long(Direction::ToClient).await
}

#[tokio::test]
async fn a_host_without_a_connection_loses_its_job_and_comes_back() -> Test {
    let mut cut = Cut::running(ends_elsewhere()).await?;
    cut.proxy.close();
    let next = cut.deployment.host(&FLAGS).await?;
    cut.until_taken_over().await?;
    cut.proxy.open();
    cut.end().await?;
    next.kill().await?;
    cut.works_again().await
}

#[tokio::test]
async fn a_client_that_is_disconnected_while_it_waits_hears_of_the_end() -> Test {
    let (deployment, _host) = Deployment::with_host(&["storm"]).await?;
    let proxy = deployment.proxy().await?;
    let config = wasmhost_client::ClientConfig::new(proxy.url());
    let client = wasmhost_client::Client::connect(config).await?;
    let mut events = deployment.events().await?;
    let job = client.task("storm.run").id("w").submit(&json!({ "sleep_ms": 1_500 })).await?;
    events.until_state("storm.run.w", "STARTED").await?;
    let waiting = job.result::<Value>();
    let meanwhile = async {
        proxy.close();
        let ended = events.until_end("storm.run.w").await;
        proxy.open();
        ended
    };
    let (result, ended) = within("the end of a job", async { tokio::join!(waiting, meanwhile) }).await?;
    ended?;
    assert_eq!(result?["attempt"], 1);
    Ok(())
}
