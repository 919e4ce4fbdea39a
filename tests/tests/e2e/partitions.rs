//! A host that is cut off from the server while it runs a job: short and long, in each direction and in both.

use std::time::Duration;

use anyhow::ensure;
use end_to_end::{Deployment, Direction, Events, Flow, History, Host, Proxy, within};
use serde_json::{Value, json};

use super::Test;

const FLAGS: [&str; 4] = ["--ack-wait", "2s", "--reconcile-after", "1s"];

/// Shorter than ack_wait: nobody takes over.
const SHORT: Duration = Duration::from_millis(800);

/// A job that runs on a host behind a proxy, and tells its progress.
struct Cut {
    deployment: Deployment,
    proxy: Proxy,
    host: Host,
    events: Events,
}

impl Cut {
    async fn running() -> anyhow::Result<Self> {
        let deployment = Deployment::start().await?;
        let proxy = deployment.proxy().await?;
        let host = deployment.host_behind(&proxy, &FLAGS).await?;
        deployment.push("progress").await?;
        let mut events = deployment.events().await?;
        let arguments = json!({ "steps": 100, "delay_ms": 50 });
        deployment.client().await?.task("progress.run").id("p").submit(&arguments).await?;
        events.until_state("progress.run.p", "PROGRESS").await?;
        Ok(Self { deployment, proxy, host, events })
    }

    async fn end(&mut self) -> anyhow::Result<History> {
        let history = self.events.until_end("progress.run.p").await?;
        assert_eq!(history.last()["state"], "SUCCESS", "{history}");
        Ok(history)
    }

    /// Waits for another host's claim.
    async fn until_taken_over(&mut self) -> Test {
        let taken = |history: &History| history.0.last().is_some_and(|last| last.record["attempt"] == 2);
        self.events.until("progress.run.p", taken).await.map(drop)
    }

    /// One more job runs on the host that was cut off: its connection is whole again.
    async fn works_again(&mut self) -> Test {
        let job = self.deployment.client().await?.task("progress.run").submit(&json!({ "steps": 0 })).await?;
        let _: Value = within("a job after the partition", job.result()).await??;
        self.host.check_alive()
    }
}

async fn short(direction: Direction) -> Test {
    let mut cut = Cut::running().await?;
    cut.proxy.flow(direction, Flow::Stalled);
    tokio::time::sleep(SHORT).await;
    cut.proxy.flow(direction, Flow::Open);
    ensure!(cut.proxy.held() > 0, "nothing was held back");
    let history = cut.end().await?;
    assert_eq!(history.last()["attempt"], 1, "{history}");
    cut.works_again().await
}

async fn long(direction: Direction) -> Test {
    let mut cut = Cut::running().await?;
    cut.proxy.flow(direction, Flow::Stalled);
    let _next = cut.deployment.host(&FLAGS).await?;
    cut.until_taken_over().await?;
    cut.proxy.flow(direction, Flow::Open);
    cut.host.log.wait_for("lost the lease").await?;
    let history = cut.end().await?;
    assert_eq!((&history.last()["attempt"], &history.last()["lost"]), (&json!(2), &json!(1)), "{history}");
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
    let mut cut = Cut::running().await?;
    cut.proxy.close();
    let _next = cut.deployment.host(&FLAGS).await?;
    cut.until_taken_over().await?;
    cut.proxy.open();
    cut.end().await?;
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
