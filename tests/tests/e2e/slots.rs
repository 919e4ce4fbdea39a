//! One pool of slots for all queues: a free slot serves whichever queue has jobs, and no delivery is taken that cannot run.

use std::time::Instant;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Events, STATES, number};
use futures::future::try_join_all;
use serde_json::json;
use wasmhost_client::Client;

use super::{Test, say};

async fn submit(client: &Client, queue: &str, id: &str, sleep_ms: u64) -> Test {
    let arguments = json!({ "sleep_ms": sleep_ms });
    client.task("storm.run").queue(queue).id(id).submit(&arguments).await?;
    Ok(())
}

/// Checks that all of these jobs run at the same time: none has ended when the last one starts.
fn all_run(events: &Events, ids: [&str; 4]) -> Test {
    for id in ids {
        let now = events.so_far(&format!("storm.run.{id}")).last().clone();
        ensure!(now["state"] == "STARTED", "{now}");
    }
    Ok(())
}

#[tokio::test]
async fn an_idle_queue_holds_no_slot_back() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&["--slots", "4", "--queues", "high:3,default:1"]).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let ids = ["a", "b", "c", "d"];
    try_join_all(ids.map(|id| submit(&client, "default", id, 20_000))).await?;
    for id in ids {
        events.until_state(&format!("storm.run.{id}"), "STARTED").await?;
    }
    all_run(&events, ids)
}

#[tokio::test]
async fn a_queue_behind_which_nothing_waits_gets_what_idle_ones_hold() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&["--slots", "4", "--queues", "high:3,default:1"]).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let ids = ["a", "b", "c", "d"];
    for id in ids {
        submit(&client, "default", id, 20_000).await?;
        events.until_state(&format!("storm.run.{id}"), "STARTED").await?;
    }
    all_run(&events, ids)
}

#[tokio::test]
async fn a_job_without_a_slot_is_left_to_whoever_has_one() -> Test {
    let deployment = Deployment::start().await?;
    let flags = ["--slots", "1", "--queues", "a,b", "--ack-wait", "2s"];
    let first = deployment.host(&flags).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    submit(&client, "a", "one", 20_000).await?;
    events.until_state("storm.run.one", "STARTED").await?;
    submit(&client, "b", "two", 100).await?;
    let delivered = async || {
        let consumer = deployment.consumer("b").await?;
        Ok::<_, anyhow::Error>(consumer.cached_info().delivered.consumer_sequence)
    };
    ensure!(delivered().await? == 0, "asked for without a slot");
    let second = deployment.host(&flags).await?;
    let end = events.until_end("storm.run.two").await?;
    let by = end.last()["host"].as_str().context("a host")?.to_owned();
    ensure!(Some(by) == second.id() && first.id() != second.id(), "{end}");
    ensure!(events.so_far("storm.run.one").last()["state"] == "STARTED");
    ensure!(delivered().await? == 1, "delivered once, to the host that had a slot");
    Ok(())
}

#[tokio::test]
async fn weights_share_the_slots_between_queues_that_have_jobs() -> Test {
    let deployment = Deployment::start().await?;
    let client = deployment.client().await?;
    // A host makes the streams before another one takes jobs.
    drop(deployment.host(&["--queues", "nobody"]).await?);
    deployment.push("storm").await?;
    for queue in ["high", "low"] {
        try_join_all((0..40).map(|at| {
            let client = client.clone();
            async move { submit(&client, queue, &format!("{queue}-{at}"), 50).await }
        }))
        .await?;
    }
    let mut events = deployment.events().await?;
    let _host = deployment.host(&["--slots", "4", "--queues", "high:3,low:1"]).await?;
    // When three quarters of the heavy queue have ended, a quarter of the light one should have. The bounds are wide, because jobs
    // end in their own time.
    let mut low_so_far = 0;
    for at in 0..30 {
        events.until_end(&format!("storm.run.high-{at}")).await?;
    }
    for at in 0..40 {
        let low = events.so_far(&format!("storm.run.low-{at}"));
        low_so_far += usize::from(low.states().last().is_some_and(|state| *state == "SUCCESS"));
    }
    ensure!(
        (3..=20).contains(&low_so_far),
        "{low_so_far} of the light queue when 30 of the heavy one had ended"
    );
    for at in 0..40 {
        events.until_end(&format!("storm.run.low-{at}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn more_queues_than_slots_are_all_served() -> Test {
    let deployment = Deployment::start().await?;
    let queues: Vec<_> = (0..20).map(|at| format!("q{at}")).collect();
    let _host = deployment.host(&["--slots", "2", "--queues", &queues.join(",")]).await?;
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    for queue in &queues {
        submit(&client, queue, queue, 0).await?;
    }
    for queue in &queues {
        events.until_end(&format!("storm.run.{queue}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_leaves_holds_no_delivery_back() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = deployment.host(&["--slots", "64", "--ack-wait", "10m"]).await?;
    deployment.push("storm").await?;
    let client = deployment.client().await?;
    try_join_all((0..600).map(|at| {
        let client = client.clone();
        async move { submit(&client, "default", &format!("j{at}"), 20).await }
    }))
    .await?;
    host.drain().await?;
    // A delivery that was not answered would come again only after this test has given up.
    let _next = deployment.host(&["--ack-wait", "10m"]).await?;
    deployment.until_queue_empty().await
}

#[tokio::test]
async fn many_jobs_of_an_unknown_module_cost_the_others_little() -> Test {
    const GOOD: usize = 100;
    let many = number("WASMHOST_UNKNOWN_JOBS", 1_000);
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let began = Instant::now();
    let unknown = (0..many).map(|at| {
        let client = client.clone();
        async move { client.task("nope.run").unchecked().id(&format!("n{at}")).submit(&json!({})).await }
    });
    try_join_all(unknown).await?;
    try_join_all((0..GOOD).map(|at| {
        let client = client.clone();
        async move { client.task("hello.run").id(&format!("g{at}")).submit(&json!({})).await }
    }))
    .await?;
    for at in 0..GOOD {
        events.until_end(&format!("hello.run.g{at}")).await?;
    }
    say(&format!(
        "{GOOD} jobs behind {many} of an unknown module ended {:?} after the first submit",
        began.elapsed()
    ));
    for at in 0..many {
        let end = events.until_end(&format!("nope.run.n{at}")).await?;
        end.assert_failure("UnknownModule");
    }
    for name in ["KV_wasmhost-modules", STATES, "OBJ_wasmhost-components"] {
        let consumers = deployment.stream(name).await?.cached_info().state.consumer_count;
        ensure!(consumers == 0, "{name} has {consumers} consumers");
    }
    let lines = host.log.count();
    ensure!(lines < 60, "{lines} lines for {many} jobs:\n{}", host.log.text());
    host.check_alive()
}

#[tokio::test]
async fn a_host_has_one_request_under_way_at_a_queue() -> Test {
    let deployment = Deployment::start().await?;
    let flags = ["--slots", "8", "--queues", "a,b"];
    let _hosts =
        [deployment.host(&flags).await?, deployment.host(&flags).await?, deployment.host(&flags).await?];
    deployment.push("storm").await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    for round in 0..20 {
        for queue in ["a", "b"] {
            submit(&client, queue, &format!("{queue}{round}"), 10).await?;
        }
        for queue in ["a", "b"] {
            let waiting = deployment.consumer(queue).await?.cached_info().num_waiting;
            ensure!(waiting <= 3, "{waiting} requests of three hosts");
        }
        for queue in ["a", "b"] {
            events.until_end(&format!("storm.run.{queue}{round}")).await?;
        }
    }
    Ok(())
}
