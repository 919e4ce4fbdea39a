//! A write happened, and its writer never hears of it: the job still ends once.

use end_to_end::Deployment;
use serde_json::json;

use super::Test;

/// An acknowledgement wait that is too long for a second delivery, so that only the host that lost the answer can end the job and
/// remove its message.
const NO_REDELIVERY: [&str; 2] = ["--ack-wait", "1h"];

/// Runs `hello` on a host whose write of this state gets no answer, and checks that the history is as if nothing had happened.
async fn ends_once_without_the_answer_to(state: &str) -> Test {
    let deployment = Deployment::start().await?;
    let proxy = deployment.proxy().await?;
    let mut host = deployment.host_behind(&proxy, &NO_REDELIVERY).await?;
    deployment.push("hello").await?;
    let mut events = deployment.events().await?;
    let swallowed = proxy.swallow_answer("$KV.wasmhost-states.hello.run.", &format!(r#""state":"{state}""#));
    let client = deployment.client().await?;
    client.task("hello.run").id("p").submit(&json!({ "name": "Ada" })).await?;
    swallowed.happened().await?;
    events.until_end("hello.run.p").await?;
    // As long as the message is there, it could come again.
    deployment.until_queue_empty().await?;
    let next = client.task("hello.run").id("next").submit(&json!({})).await?;
    events.until_end(&next.key().to_string()).await?;
    let history = events.so_far("hello.run.p");
    history.assert_revisions(["PENDING", "STARTED", "SUCCESS"]);
    history.assert_result(json!({ "greeting": "Hello, Ada!" }));
    host.check_alive()
}

#[tokio::test]
async fn a_lost_answer_to_a_claim_leaves_one_attempt() -> Test {
    ends_once_without_the_answer_to("STARTED").await
}

#[tokio::test]
async fn a_lost_answer_to_a_terminal_write_leaves_one_end() -> Test {
    ends_once_without_the_answer_to("SUCCESS").await
}

#[tokio::test]
async fn a_client_that_never_hears_of_its_pending_submits_once() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let proxy = deployment.proxy().await?;
    let mut events = deployment.events().await?;
    let config = wasmhost_client::ClientConfig::new(proxy.url());
    let client = wasmhost_client::Client::connect(config).await?;
    let swallowed = proxy.swallow_answer("$KV.wasmhost-states.hello.run.", r#""state":"PENDING""#);
    let job = client.task("hello.run").id("p").submit(&json!({})).await?;
    swallowed.happened().await?;
    let history = events.until_end(&job.key().to_string()).await?;
    history.assert_states(["PENDING", "STARTED", "SUCCESS"]);
    let swallowed = proxy.swallow_answer("wasmhost.jobs.default.hello.run.", "{}");
    let job = client.task("hello.run").id("again").submit(&json!({})).await?;
    swallowed.happened().await?;
    let history = events.until_end(&job.key().to_string()).await?;
    history.assert_success().assert_attempt(1);
    Ok(())
}
