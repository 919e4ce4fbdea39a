//! Whoever waits for a job is told its end, whoever writes it; where a notice is lost, the record is read.

use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, until_true, within};
use futures::StreamExt;
use serde_json::{Value, json};
use wasmhost_client::protocol::ids::{Inbox, JobKey};
use wasmhost_client::protocol::record::ErrorKind;
use wasmhost_client::{Client, ClientConfig, ResultError};

use super::Test;

const FLAGS: [&str; 4] = ["--reconcile-after", "1s", "--ack-wait", "2s"];
/// Less than it takes until a client reads for the first time without a notice.
const BEFORE_ANY_READ: Duration = Duration::from_secs(10);

#[tokio::test]
async fn who_waits_for_its_job_reads_nothing_and_subscribes_to_nothing() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let proxy = deployment.proxy().await?;
    let client = Client::connect(ClientConfig::new(proxy.url())).await?;
    let call = async |n: u32| {
        let job = client.task("hello.run").submit(&json!({ "name": n.to_string() })).await?;
        let greeting: Value = job.result().await?;
        ensure!(greeting == json!({ "greeting": format!("Hello, {n}!") }), "{greeting}");
        anyhow::Ok(())
    };
    // The first call reads what the registry says of the module.
    call(0).await?;
    let mut reads = deployment.traffic("$JS.API.STREAM.MSG.GET.KV_wasmhost-states").await?;
    let connections = proxy.accepted();
    let mut calls = futures::stream::iter(1..200).map(call).buffer_unordered(16);
    while let Some(called) = within("the calls", calls.next()).await? {
        called?;
    }
    // A read after all calls is the first that is heard.
    let none = client.job(&JobKey::parse("hello.run.none")?);
    ensure!(none.record().await.is_err());
    let read = reads.next("a read").await?;
    ensure!(read.payload.ends_with(b"hello.run.none\"}"), "{read:?}");
    // Events come over another connection, which is made when the first are subscribed to.
    ensure!(proxy.accepted() == connections, "{} connections after {connections}", proxy.accepted());
    none.watch().await.err().context("there is no such job")?;
    ensure!(proxy.accepted() == connections + 1, "{} connections after {connections}", proxy.accepted());
    Ok(())
}

#[tokio::test]
async fn every_writer_of_an_end_tells_it() -> Test {
    let deployment = Deployment::start().await?;
    let host = deployment.host(&FLAGS).await?;
    deployment.push("hostile").await?;
    let client = deployment.client().await?;
    let spinning = async |id| client.task("hostile.run").id(id).submit(&json!({ "do": "spin" })).await;
    let queued = async |id| client.task("hostile.run").id(id).queue("nobody").submit(&json!({})).await;

    let failed = client.task("hostile.run").submit(&json!({ "do": "panic" })).await?;
    let failed = within("a failure", failed.result_timeout::<Value>(BEFORE_ANY_READ)).await?;
    ensure!(matches!(failed, Err(ResultError::Failed { .. })), "{failed:?}");

    for job in [spinning("running").await?, queued("queued").await?] {
        let revoking = async {
            until_true("it is there", async || Ok(job.record().await.is_ok())).await?;
            anyhow::Ok(client.job(job.key()).revoke("not wanted").await?)
        };
        let (revoked, ended) = tokio::join!(revoking, job.result_timeout::<Value>(BEFORE_ANY_READ));
        revoked?;
        ensure!(matches!(ended, Err(ResultError::Revoked { .. })), "{ended:?}");
    }

    let expired = client.task("hostile.run").expires_in(Duration::ZERO).submit(&json!({})).await?;
    let expired = expired.result_timeout::<Value>(BEFORE_ANY_READ).await;
    ensure!(matches!(expired, Err(ResultError::Revoked { .. })), "{expired:?}");

    let purged = queued("purged").await?;
    deployment.purge_queue().await?;
    let purged = purged.result_timeout::<Value>(BEFORE_ANY_READ).await;
    let Err(ResultError::Failed { error, .. }) = purged else { anyhow::bail!("{purged:?}") };
    ensure!(error.kind == ErrorKind::NotPublished, "{error:?}");
    drop(host);
    Ok(())
}

#[tokio::test]
async fn an_end_that_was_not_told_is_told_with_the_next_delivery() -> Test {
    let deployment = Deployment::start().await?;
    let mut dying = deployment.faulty_host("before-notice=return", &FLAGS).await?;
    deployment.push("hello").await?;
    let job = deployment.client().await?.task("hello.run").submit(&json!({ "name": "Ada" })).await?;
    dying.end().await?;
    let _next = deployment.host(&FLAGS).await?;
    let greeting: Value = job.result_timeout(BEFORE_ANY_READ).await?;
    ensure!(greeting == json!({ "greeting": "Hello, Ada!" }), "{greeting}");
    Ok(())
}

#[tokio::test]
async fn an_end_that_came_while_the_server_was_away_is_read() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let proxy = deployment.proxy().await?;
    let client = Client::connect(ClientConfig::new(proxy.url())).await?;
    let mut events = deployment.events().await?;
    let job = client.task("hello.run").id("p").delay(Duration::from_secs(1)).submit(&json!({})).await?;
    proxy.close();
    proxy.cut();
    events.until_end("hello.run.p").await?;
    let waiting = job.result_timeout::<Value>(BEFORE_ANY_READ);
    let (ended, ()) = tokio::join!(waiting, async { proxy.open() });
    ended?;
    Ok(())
}

#[tokio::test]
async fn a_forged_notice_is_no_end() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello", "progress"]).await?;
    let client = deployment.client().await?;
    let mut ended = deployment.events().await?;
    client.task("hello.run").id("other").submit(&json!({})).await?;
    let other = ended.until_end("hello.run.other").await?.last().to_string();
    for (id, forged) in [("a", "no record"), ("b", ""), ("c", r#"{"state":"SUCCESS","v":1}"#), ("d", &other)]
    {
        let arguments = json!({ "steps": 20, "delay_ms": 50 });
        let job = client.task("progress.run").id(id).submit(&arguments).await?;
        let inbox = job.record().await?.notify.clone().context("its client waits for it")?;
        deployment.nats.publish(inbox.to_string(), forged.to_owned().into()).await?;
        let _: Value = within("the end", job.result()).await??;
    }
    Ok(())
}

#[tokio::test]
async fn anybody_may_name_an_inbox_and_nothing_else() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let mut told = deployment.nats.subscribe("_INBOX.mine.*").await?;
    deployment.nats.flush().await?;
    let headers = [("Wasmhost-Notify", "_INBOX.mine.1")];
    deployment.publish("wasmhost.jobs.default.hello.run.raw", &headers, "{}").await?;
    let notice = within("a notice", told.next()).await?.context("the subscription ended")?;
    let record: Value = serde_json::from_slice(&notice.payload)?;
    ensure!(record == *events.until_end("hello.run.raw").await?.last(), "{record}");

    let headers = [("Wasmhost-Notify", "_INBOX.mine.2")];
    deployment.outsider()?.req("wasmhost.submit.hello.run.asked", &headers, "{}").await?;
    let notice = within("a notice", told.next()).await?.context("the subscription ended")?;
    ensure!(serde_json::from_slice::<Value>(&notice.payload)?["id"] == "asked", "{notice:?}");

    for (id, subject) in ["$KV.wasmhost-states.hello.run.x", "wasmhost.jobs.default.hello.run", "_INBOX.>"]
        .into_iter()
        .enumerate()
    {
        let headers = [("Wasmhost-Notify", subject)];
        deployment.publish(&format!("wasmhost.jobs.default.hello.run.{id}"), &headers, "{}").await?;
        let history = events.until_end(&format!("hello.run.{id}")).await?;
        history.assert_failure("BadJob").assert_message(&["Wasmhost-Notify", "inbox"]);
        ensure!(Inbox::parse(subject).is_err());
    }
    ensure!(deployment.record("hello.run.x").await?.is_none(), "no record was written by a notice");
    host.check_alive()
}
