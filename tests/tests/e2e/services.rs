//! The services, by which `nats req` is a complete client.

use anyhow::{Context, ensure};
use async_nats::HeaderMap;
use end_to_end::{Deployment, within};
use futures::StreamExt;
use serde_json::{Value, json};

use super::Test;

/// Sends a request, and returns the answer as JSON. An error has its code in it.
async fn ask(
    deployment: &Deployment,
    subject: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<Value> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, *value);
    }
    let asking = deployment.nats.request_with_headers(subject.to_owned(), map, body.to_owned().into());
    let answer = within(subject, asking).await??;
    let mut body: Value = serde_json::from_slice(&answer.payload)?;
    if let Some(code) = answer.headers.as_ref().and_then(|headers| headers.get("Nats-Service-Error-Code")) {
        body["code"] = json!(code.as_str());
    }
    Ok(body)
}

#[tokio::test]
async fn a_request_to_submit_answers_the_key_and_the_same_one_runs_once() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let outsider = deployment.outsider()?;
    let body = r#"{"name":"Ada"}"#;
    for _ in 0..2 {
        let answer = outsider.req("wasmhost.submit.hello.run.my-1", &[], body).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        assert_eq!(answer["key"], "hello.run.my-1");
        events.until_end("hello.run.my-1").await?;
    }
    let answer: Value = serde_json::from_str(&outsider.req("wasmhost.submit.hello.run", &[], body).await?)?;
    let key = answer["key"].as_str().unwrap_or_default();
    ensure!(key.starts_with("hello.run.") && key.len() == "hello.run.".len() + 36, "{answer}");
    events.until_end(key).await?;
    let history = events.until_end("hello.run.my-1").await?;
    history.assert_states(["PENDING", "STARTED", "SUCCESS"]);
    Ok(())
}

#[tokio::test]
async fn status_answers_the_record() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let job = deployment.client().await?.task("hello.run").id("a").submit(&json!({})).await?;
    let _: Value = job.result().await?;
    let record = ask(&deployment, "wasmhost.status.hello.run.a", &[], "").await?;
    assert_eq!(record["state"], "SUCCESS");
    assert_eq!(record["v"], 1);
    let unknown = ask(&deployment, "wasmhost.status.hello.run.b", &[], "").await?;
    assert_eq!(unknown["kind"], "NotFound");
    assert_eq!(unknown["code"], "404");
    Ok(())
}

#[tokio::test]
async fn a_queued_job_is_revoked_by_request_before_it_ever_starts() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let queue = [("Wasmhost-Queue", "nobody")];
    let answer = ask(&deployment, "wasmhost.submit.hello.run.q", &queue, "{}").await?;
    assert_eq!(answer["key"], "hello.run.q");
    assert_eq!(answer["state"], "PENDING");
    let record = ask(&deployment, "wasmhost.revoke.hello.run.q", &[], r#"{"reason":"not needed"}"#).await?;
    assert_eq!(record["state"], "REVOKED");
    assert_eq!(record["attempt"], 0);
    assert_eq!(record["revoke"]["reason"], "not needed");
    Ok(())
}

#[tokio::test]
async fn a_running_job_is_revoked_by_request_unless_only_queued_ones_are_meant() -> Test {
    let (deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let mut events = deployment.events().await?;
    let body = r#"{"steps":1000,"delay_ms":50}"#;
    ask(&deployment, "wasmhost.submit.progress.run.r", &[], body).await?;
    events.until_state("progress.run.r", "PROGRESS").await?;
    let queued = ask(&deployment, "wasmhost.revoke.progress.run.r", &[], r#"{"if_queued":true}"#).await?;
    assert_eq!(queued["kind"], "AlreadyRunning");
    assert_eq!(queued["code"], "423");
    let record = ask(&deployment, "wasmhost.revoke.progress.run.r", &[], "").await?;
    ensure!(record["revoke"].is_object(), "the answer shows the request: {record}");
    let history = events.until_end("progress.run.r").await?;
    history.assert_revoked();
    Ok(())
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_answered_with_what_is_wrong() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    ask(&deployment, "wasmhost.submit.hello.run.taken", &[], "{}").await?;
    type Case =
        (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str, &'static str);
    let cases: [Case; 7] = [
        ("wasmhost.submit.hello.run.taken", &[], r#"{"name":"Bob"}"#, "Conflict", "taken"),
        ("wasmhost.submit.hello.run.x", &[], "{", "BadRequest", "JSON"),
        ("wasmhost.submit.hello", &[], "{}", "BadRequest", "hello"),
        (
            "wasmhost.submit.hello.run.x",
            &[("Wasmhost-Priority", "1")],
            "{}",
            "BadRequest",
            "Wasmhost-Priority",
        ),
        (
            "wasmhost.submit.hello.run.x",
            &[("Wasmhost-Timeout", "soon")],
            "{}",
            "BadRequest",
            "Wasmhost-Timeout",
        ),
        ("wasmhost.revoke.hello.run.taken", &[], r#"{"raeson":"x"}"#, "BadRequest", "raeson"),
        ("wasmhost.status.hello", &[], "", "BadRequest", "hello"),
    ];
    for (subject, headers, body, kind, named) in cases {
        let answer = ask(&deployment, subject, headers, body).await?;
        assert_eq!(answer["kind"], kind, "{subject} {body}: {answer}");
        ensure!(
            answer["message"].as_str().is_some_and(|message| message.contains(named)),
            "{named}: {answer}"
        );
    }
    host.check_alive()
}

#[tokio::test]
async fn a_reply_subject_that_is_no_inbox_gets_no_answer() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let mut events = deployment.events().await?;
    let reply = "$KV.wasmhost-states.hello.run.forged";
    deployment.nats.publish_with_reply("wasmhost.submit.hello.run.x", reply, "{}".into()).await?;
    // Requests are answered in order: when this one is answered, the other one would have been.
    ask(&deployment, "wasmhost.submit.hello.run.y", &[], "{}").await?;
    events.until_end("hello.run.y").await?;
    assert_eq!(deployment.record("hello.run.forged").await?, None);
    assert_eq!(events.so_far("hello.run.x").states(), Vec::<&str>::new(), "the job is not submitted either");
    Ok(())
}

#[tokio::test]
async fn a_submission_that_is_no_json_is_refused_before_anything_is_written() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    for body in ["", "[[[[", "{\"name\":}", "nonsense", "{} {}"] {
        let answer = ask(&deployment, "wasmhost.submit.hello.run.j", &[], body).await?;
        assert_eq!(answer["kind"], "BadRequest", "{body}: {answer}");
        assert_eq!(answer["code"], "400", "{body}: {answer}");
        ensure!(answer["message"].as_str().is_some_and(|why| why.contains("not JSON")), "{body}: {answer}");
    }
    ensure!(deployment.record("hello.run.j").await?.is_none());
    host.check_alive()
}

#[tokio::test]
async fn a_request_whose_headers_cannot_be_read_is_answered_with_an_error() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut stranger = deployment.stranger().await?;
    let inbox = deployment.nats.new_inbox();
    let mut answers = deployment.nats.subscribe(inbox.clone()).await?;
    deployment.nats.flush().await?;
    stranger
        .publish(b"wasmhost.submit.hello.run.h", Some(&inbox), b"NATS/1.0\r\nX Y: a\r\n\r\n", b"{}")
        .await?;
    stranger.flush().await?;
    let answer = within("an answer", answers.next()).await?.context("no answer")?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["kind"] == "BadRequest", "{answer}");
    ensure!(answer["message"].as_str().is_some_and(|why| why.contains("headers are unreadable")), "{answer}");
    host.check_alive()
}
