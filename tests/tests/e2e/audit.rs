//! The auditor on the command line: a recorded run is proven, and one that was tampered with is not.

use std::fs;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, RECORDING, Ran};
use serde_json::{Value, json};

use super::Test;

/// Records three jobs, one of which fails, and returns the recording and what the submits printed.
async fn recorded(deployment: &Deployment) -> anyhow::Result<(String, String)> {
    let _host = deployment.host(&[]).await?;
    deployment.push("storm").await?;
    let run = deployment.file("run.jsonl", b"")?.display().to_string();
    let mut recording = deployment.command().follow(&["audit", "record", "--out", &run, "--idle", "1s"])?;
    recording.stderr.wait_for(RECORDING).await?;
    let mut submits = String::new();
    for arguments in [r#"{"steps":3,"sleep_ms":90}"#, r#"{"fail_times":1}"#, "{}"] {
        let submitted = deployment.wasmhost(&["submit", "storm.run", arguments, "--json"]).await?;
        submits.push_str(submitted.ok()?);
        submits.push('\n');
    }
    ensure!(recording.end().await? == 0, "{}", recording.stderr.text());
    Ok((fs::read_to_string(run)?, submits))
}

async fn check(deployment: &Deployment, run: &str, submits: &str) -> anyhow::Result<Ran> {
    let run = deployment.file("checked.jsonl", run.as_bytes())?.display().to_string();
    let submits = deployment.file("submits.jsonl", submits.as_bytes())?.display().to_string();
    deployment.wasmhost(&["audit", "check", &run, &submits]).await
}

/// The line of the first SUCCESS, as text and as JSON.
fn success(run: &str) -> anyhow::Result<(&str, Value)> {
    let line = run.lines().find(|line| line.contains(r#""state":"SUCCESS""#)).context("a SUCCESS")?;
    Ok((line, serde_json::from_str(line)?))
}

#[tokio::test]
async fn a_recorded_run_is_proven_and_a_tampered_one_is_not() -> Test {
    let deployment = Deployment::start().await?;
    let (run, submits) = recorded(&deployment).await?;
    let proven = check(&deployment, &run, &submits).await?;
    ensure!(proven.ok()?.contains("proven") && proven.stdout.contains("3 accepted"), "{proven}");
    ensure!(run.contains(r#""kind":"effect""#), "what the guests logged is there: {run}");

    let (line, mut resurrected) = success(&run)?;
    let last =
        run.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["revision"].as_u64()).max();
    let next = last.context("a revision")? + 1;
    resurrected["previous"] = resurrected["revision"].clone();
    resurrected["revision"] = json!(next);
    resurrected["record"]["state"] = json!("STARTED");
    let span = run.replace(&format!("\"last\":{}", next - 1), &format!("\"last\":{next}"));
    let broken = check(&deployment, &format!("{span}\n{resurrected}\n"), &submits).await?;
    ensure!(broken.code == 1 && broken.stdout.contains("I1"), "{broken}");

    let missed = check(&deployment, &run.replace(line, ""), &submits).await?;
    ensure!(missed.code == 75 && missed.stdout.contains("not proven"), "{missed}");

    let lost =
        format!("{submits}{}\n", json!({ "key": "storm.run.never", "state": "PENDING", "revision": 1 }));
    let lost = check(&deployment, &run, &lost).await?;
    ensure!(lost.code == 1 && lost.stdout.contains("storm.run.never"), "{lost}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_audited_is_refused_with_its_line() -> Test {
    let deployment = Deployment::start().await?;
    deployment.wasmhost(&["audit", "check", "nowhere.jsonl"]).await?.refused(66, &["nowhere.jsonl"])?;
    let bad = deployment.file(
        "bad.jsonl",
        b"{\"kind\":\"quiet\",\"at\":\"2026-01-31T12:00:00Z\"}\n{\"kind\":\"rumour\"}\n",
    )?;
    let bad = bad.display().to_string();
    deployment.wasmhost(&["audit", "check", &bad]).await?.refused(65, &["bad.jsonl", "2", "rumour"])
}
