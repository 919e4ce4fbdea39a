//! Why a job failed, in the words of its own program, in the record and in every output for people.

use anyhow::{Context, ensure};
use end_to_end::{Deployment, guest_path, within};
use futures::StreamExt;
use serde_json::Value;

use super::Test;

#[tokio::test]
async fn a_task_that_returns_an_error_is_explained_by_what_it_wrote_before() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["refusing", "main-fails"]).await?;
    let mut events = deployment.events().await?;
    let cases = [
        ("refusing.bare.a", "", "the task returned an error: invoice 4711 has no customer"),
        ("refusing.explained.b", r#"["no such customer"]"#, "no such customer"),
        ("main-fails.run.c", "", r#"the task returned an error: Error: "invoice 4711 has no customer""#),
    ];
    for (key, body, message) in cases {
        deployment.publish(&format!("wasmhost.jobs.default.{key}"), &[], body).await?;
        let history = events.until_end(key).await?;
        let error = &history.last()["error"];
        assert_eq!(error["kind"], "Failed", "{key}");
        assert_eq!(error["message"], message, "{key}");
        let stderr = error["stderr"].as_str().with_context(|| format!("{key}: {error}"))?;
        ensure!(stderr.starts_with("reading invoice 4711"), "{key}: {stderr}");
    }
    host.check_alive()
}

#[tokio::test]
async fn every_command_shows_what_the_guest_said_last() -> Test {
    let (deployment, _host) = Deployment::with_host(&["refusing"]).await?;
    let submit = ["submit", "refusing.explained", r#"["no such customer"]"#, "--id", "a", "--wait"];
    let said = ["Failed: no such customer", "stderr:\n    reading invoice 4711"];
    deployment.wasmhost(&submit).await?.refused(1, &said)?;
    deployment.wasmhost(&["result", "refusing.explained.a"]).await?.refused(1, &said)?;
    let watched = deployment.wasmhost(&["watch", "refusing.explained.a"]).await?;
    watched.refused(1, &["stderr:\n    reading invoice 4711"])?;
    ensure!(watched.stdout.trim_end().lines().count() == 1, "a line a transition: {watched}");
    let status = deployment.wasmhost(&["status", "refusing.explained.a"]).await?;
    ensure!(said.iter().all(|part| status.stdout.contains(part)), "{status}");
    let component = guest_path("refusing")?;
    let run = deployment.wasmhost(&["run", &component, "bare"]).await?;
    run.refused(
        1,
        &["stderr: reading invoice 4711", "the task returned an error: invoice 4711 has no customer"],
    )
}

/// What the hostile task does, with the kind of its failure and a part of the message.
const CAUSES: [(&str, &str, &str); 8] = [
    (r#"{"do":"refused","then":{"do":"panic"}}"#, "Panicked", "a hostile panic"),
    (r#"{"do":"refused","then":{"do":"stack"}}"#, "Trapped", "stack overflow"),
    (
        r#"{"do":"refused","then":{"do":"stdout","lines":1,"then":{"do":"trap"}}}"#,
        "Trapped",
        "(before it the guest was refused more: out of memory",
    ),
    (r#"{"do":"oom"}"#, "OutOfMemory", "(memory allocation of 1048576 bytes failed)"),
    (r#"{"do":"write","text":"no customer\n","then":{"do":"exit1"}}"#, "Exited", "exit(1): no customer"),
    (
        r#"{"do":"write","text":"panic: no customer\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:3 +0x2\n","then":{"do":"exit1"}}"#,
        "Panicked",
        "no customer (/a.go:3)",
    ),
    (
        r#"{"do":"write","text":"terminate called after throwing an instance of 'std::runtime_error'\n  what():  no customer\n","then":{"do":"trap"}}"#,
        "Panicked",
        "std::runtime_error: no customer",
    ),
    (
        r#"{"do":"write","text":"thread 'main' panicked at 'no customer', src/lib.rs:1:2\n","then":{"do":"trap"}}"#,
        "Panicked",
        "no customer (src/lib.rs:1:2)",
    ),
];

#[tokio::test]
async fn a_cause_is_the_guests_own_whatever_came_before_and_whatever_its_language() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    let mut wrong = Vec::new();
    for (index, (body, kind, message)) in CAUSES.iter().enumerate() {
        let key = format!("hostile.run.{index}");
        deployment.publish(&format!("wasmhost.jobs.default.{key}"), &[], body).await?;
        let history = events.until_end(&key).await?;
        let error = &history.last()["error"];
        if error["kind"] != *kind || !error["message"].as_str().is_some_and(|said| said.contains(message)) {
            wrong.push(format!("{body}: {error}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    host.check_alive()
}

#[tokio::test]
async fn what_a_guest_says_reaches_no_terminal_unescaped() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut lines = deployment.nats.subscribe("wasmhost.logs.hostile.>").await?;
    let deeds = [
        r#"{"do":"fail","message":"\u009b2J\u202e\u200b\u001b[31m","details":"[\"\\u009b\"]"}"#,
        r#"{"do":"write","text":"\u009b2J\u202e\u200b\n","then":{"do":"exit1"}}"#,
        r#"{"do":"log","message":"\u009b2J\u202e\u200b","fields":"\u009b\u202e"}"#,
    ];
    for (index, deed) in deeds.iter().enumerate() {
        let id = index.to_string();
        let ran = deployment.wasmhost(&["submit", "hostile.run", deed, "--id", &id, "--wait"]).await?;
        let status = deployment.wasmhost(&["status", &format!("hostile.run.{id}")]).await?;
        for text in [&ran.stdout, &ran.stderr, &status.stdout] {
            ensure!(!text.contains(['\u{9b}', '\u{202e}', '\u{200b}', '\u{1b}']), "{deed}: {text:?}");
        }
        let record = deployment.known_record(&format!("hostile.run.{id}")).await?;
        let said = format!("{} {}", record["error"]["message"], record["error"]["stderr"]);
        ensure!(!said.contains(['\u{9b}', '\u{202e}', '\u{200b}']), "{deed}: {said:?}");
    }
    deployment.nats.publish("wasmhost.logs.hostile.run.end", "end".into()).await?;
    loop {
        let line = within("a log line", lines.next()).await?.context("the subscription ended")?;
        let line = String::from_utf8(line.payload.to_vec())?;
        if line == "end" {
            break;
        }
        ensure!(!line.contains(['\u{9b}', '\u{202e}', '\u{200b}']), "{line:?}");
    }
    Ok(())
}

#[tokio::test]
async fn lines_that_are_too_many_are_dropped_and_counted() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut events = deployment.events().await?;
    for (id, lines) in [("few", 100), ("many", 5_001)] {
        let mut logs = deployment.nats.subscribe(format!("wasmhost.logs.hostile.run.{id}")).await?;
        deployment.nats.flush().await?;
        let body = format!(r#"{{"do":"stdout","lines":{lines}}}"#);
        deployment.publish(&format!("wasmhost.jobs.default.hostile.run.{id}"), &[], &body).await?;
        events.until_end(&format!("hostile.run.{id}")).await?;
        // The host sent them before the end of the job, and this comes after it.
        deployment.nats.publish(format!("wasmhost.logs.hostile.run.{id}"), "end".into()).await?;
        let mut arrived = Vec::new();
        let mut dropped = Vec::new();
        loop {
            let line = within("a log line", logs.next()).await?.context("the subscription ended")?;
            if line.payload == "end" {
                break;
            }
            let line: Value = serde_json::from_slice(&line.payload)?;
            let message = line["message"].as_str().context("no message")?.to_owned();
            if line["stream"] == "host" { dropped.push(message) } else { arrived.push(message) }
        }
        let expected: Vec<_> = (1..=lines).map(|number| format!("line {number}")).collect();
        ensure!(arrived.iter().all(|line| expected.contains(line)), "{arrived:?}");
        let said = match dropped.as_slice() {
            [] => 0,
            [said] => said.split(' ').nth(1).and_then(|count| count.parse().ok()).context(said.clone())?,
            more => anyhow::bail!("more than one line counts what was dropped: {more:?}"),
        };
        assert_eq!(arrived.len() + said, lines, "{id}: {} arrived, {dropped:?}", arrived.len());
        ensure!(id != "few" || said == 0, "so few all arrive: {dropped:?}");
    }
    Ok(())
}
