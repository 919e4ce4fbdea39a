//! The command line, for people and for programs.

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Wasmhost, guest_path};
use serde_json::{Value, json};

use super::Test;

const PICTURE: &str = include_str!("../../../guest-examples/thumbs/job.json");

#[tokio::test]
async fn submit_with_wait_prints_the_result_and_the_exit_code_tells_the_end() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello", "flaky"]).await?;
    let ran = deployment.wasmhost(&["submit", "hello.run", r#"{"name":"Ada"}"#, "--wait"]).await?;
    assert_eq!(ran.json()?, json!({ "greeting": "Hello, Ada!" }));
    ensure!(
        ran.stderr.contains("hello.run.") && !ran.stderr.contains('\u{1b}'),
        "the key, and no colours: {ran}"
    );
    let failing = ["submit", "flaky.run", r#"{"fail_times":1}"#, "--wait"];
    deployment.wasmhost(&failing).await?.refused(1, &["Failed: attempt 1 fails"])
}

#[tokio::test]
async fn arguments_come_from_a_file_or_from_standard_input() -> Test {
    let (deployment, _host) = Deployment::with_host(&["thumbs", "hello"]).await?;
    let file = deployment.file("args.json", PICTURE.as_bytes())?;
    let ran =
        deployment.wasmhost(&["submit", "thumbs.resize", &format!("@{}", file.display()), "--wait"]).await?;
    ensure!(ran.json()?.is_string(), "base64: {ran}");
    let command = deployment.command();
    let ran = command.run_with(&["submit", "hello.run", "-", "--wait"], br#"{"name":"Bob"}"#).await?;
    assert_eq!(ran.json()?, json!({ "greeting": "Hello, Bob!" }));
    Ok(())
}

#[tokio::test]
async fn submit_prints_the_key_and_status_result_and_watch_take_it() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let submitted = deployment.wasmhost(&["submit", "hello.run", "{}", "--id", "my-1"]).await?;
    assert_eq!(submitted.ok()?, "hello.run.my-1");
    let result = deployment.wasmhost(&["result", "hello.run.my-1", "--timeout", "30s"]).await?;
    assert_eq!(result.json()?, json!({ "greeting": "Hello, world!" }));
    let status = deployment.wasmhost(&["status", "hello.run.my-1"]).await?;
    ensure!(status.ok()?.contains("SUCCESS") && status.ok()?.contains("Hello, world!"), "{status}");
    let record = deployment.wasmhost(&["status", "hello.run.my-1", "--json"]).await?.json()?;
    assert_eq!(record["state"], "SUCCESS");
    assert_eq!(record["task"], "hello.run");
    let watched = deployment.wasmhost(&["watch", "hello.run.my-1"]).await?;
    ensure!(watched.ok()?.lines().count() == 1 && watched.ok()?.contains("SUCCESS"), "{watched}");
    let again = deployment.wasmhost(&["submit", "hello.run", "{}", "--id", "my-1", "--json"]).await?;
    ensure!(again.stderr.contains("stands SUCCESS already, and does not run again"), "{again}");
    let again = again.json()?;
    assert_eq!(again["key"], "hello.run.my-1");
    assert_eq!(again["state"], "SUCCESS");
    Ok(())
}

#[tokio::test]
async fn a_submit_with_the_id_of_an_ended_job_is_answered_with_its_state() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let submit = ["submit", "hello.run", r#"{"name":"Ada"}"#, "--id"];
    deployment.wasmhost(&[&submit[..], &["done", "--wait"]].concat()).await?.ok()?;
    deployment.wasmhost(&[&submit[..], &["never", "--delay", "1h"]].concat()).await?.ok()?;
    deployment.wasmhost(&["revoke", "hello.run.never"]).await?.ok()?;
    for (id, state) in [("done", "SUCCESS"), ("never", "REVOKED")] {
        let again = deployment.wasmhost(&[&submit[..], &[id]].concat()).await?;
        assert_eq!(again.ok()?, format!("hello.run.{id}"));
        let note = format!("job hello.run.{id} stands {state} already, and does not run again");
        ensure!(again.stderr.contains(&note), "{again}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_not_found() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    for command in ["status", "watch", "result", "revoke"] {
        deployment.wasmhost(&[command, "hello.run.nobody"]).await?.refused(66, &["hello.run.nobody"])?;
    }
    for command in ["show", "rollback", "remove"] {
        deployment.wasmhost(&["module", command, "nobody"]).await?.refused(66, &["nobody"])?;
    }
    Ok(())
}

#[tokio::test]
async fn jobs_are_listed_by_state_and_task() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello", "flaky"]).await?;
    let client = deployment.client().await?;
    for id in ["a", "b"] {
        let _: Value = client.task("hello.run").id(id).submit(&json!({})).await?.result().await?;
    }
    let failed = client.task("flaky.run").id("c").submit(&json!({})).await?;
    ensure!(failed.raw_result().await.is_err(), "it fails");
    client.task("hello.run").id("d").queue("nobody").submit(&json!({})).await?;
    let list = async |flags: &[&str]| -> anyhow::Result<Vec<String>> {
        let records = deployment.wasmhost(&[&["jobs", "--json"], flags].concat()).await?.json_lines()?;
        let mut ids: Vec<_> =
            records.iter().map(|record| record["id"].as_str().unwrap_or("?").to_owned()).collect();
        ids.sort();
        Ok(ids)
    };
    assert_eq!(list(&[]).await?, ["a", "b", "c", "d"]);
    assert_eq!(list(&["--state", "SUCCESS"]).await?, ["a", "b"]);
    assert_eq!(list(&["--state", "FAILURE"]).await?, ["c"]);
    assert_eq!(list(&["--task", "hello"]).await?, ["a", "b", "d"]);
    assert_eq!(list(&["--task", "hello.run", "--state", "PENDING"]).await?, ["d"]);
    let table = deployment.wasmhost(&["jobs"]).await?;
    ensure!(table.ok()?.starts_with("KEY") && table.ok()?.lines().count() == 5, "{table}");
    Ok(())
}

#[tokio::test]
async fn hosts_are_listed_with_what_they_serve() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&["--queues", "high:3,low", "--slots", "8"]).await?;
    let hosts = deployment.wasmhost(&["hosts", "--json"]).await?.json_lines()?;
    let host = hosts.first().context("no host")?;
    assert_eq!(host["queues"], json!(["high", "low"]));
    assert_eq!(host["slots"], 8);
    assert_eq!(host["running"], 0);
    let table = deployment.wasmhost(&["hosts"]).await?;
    ensure!(table.ok()?.contains("high,low"), "{table}");
    Ok(())
}

#[tokio::test]
async fn a_task_runs_locally_without_any_server() -> Test {
    let deployment = Deployment::start().await?;
    let file = deployment.file("args.json", PICTURE.as_bytes())?;
    let wasmhost = Wasmhost::at("nats://127.0.0.1:1");
    let thumbs = guest_path("thumbs")?;
    let progress = guest_path("progress")?;
    let ran = wasmhost.run(&["run", &thumbs, "resize", &format!("@{}", file.display())]).await?;
    ensure!(ran.json()?.is_string(), "base64: {ran}");
    let wrong = ["run", &thumbs, "resize", r#"{"image":"","width":"wide"}"#];
    wasmhost.run(&wrong).await?.refused(2, &["width: expected u32, found string"])?;
    wasmhost.run(&["run", &thumbs]).await?.refused(2, &["resize", "describe", "transform"])?;
    let ran = wasmhost.run(&["run", &progress, r#"{"steps":2,"delay_ms":1}"#]).await?;
    assert_eq!(ran.json()?, json!({ "steps": 2 }));
    ensure!(ran.stderr.contains("PROGRESS"), "{ran}");
    Ok(())
}

#[tokio::test]
async fn control_characters_of_others_never_reach_the_terminal() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hello"]).await?;
    let name = json!({ "name": "\u{1b}[31mred\u{202e}" }).to_string();
    let ran = deployment.wasmhost(&["submit", "hello.run", &name, "--id", "x", "--wait"]).await?;
    assert_eq!(ran.json()?, json!({ "greeting": "Hello, \u{1b}[31mred\u{202e}!" }), "the JSON still says it");
    for command in ["status", "watch", "result"] {
        let ran = deployment.wasmhost(&[command, "hello.run.x"]).await?;
        ensure!(!ran.ok()?.contains(['\u{1b}', '\u{202e}']), "{ran}");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_waits_for_a_queue_that_no_host_serves_is_warned() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let mut waiting =
        deployment.command().follow(&["submit", "hello.run", "{}", "--queue", "defualt", "--wait"])?;
    let note = "no host serves the queue `defualt`: the job waits until one does; did you mean `default`?";
    waiting.stderr.wait_for(note).await?;
    host.drain().await?;
    let mut waiting = deployment.command().follow(&["submit", "hello.run", "{}", "--wait"])?;
    waiting.stderr.wait_for("no host runs: the job waits until one does").await?;
    Ok(())
}
