//! Watching a job from the terminal.

use anyhow::{Context, ensure};
use end_to_end::Deployment;
use serde_json::Value;

use super::Test;

/// The numbers of `progress` in the lines of `wasmhost watch --json`.
fn progress(lines: &[String]) -> anyhow::Result<Vec<u64>> {
    let mut seen = Vec::new();
    for line in lines {
        let record: Value = serde_json::from_str(line).with_context(|| line.clone())?;
        seen.extend(record["meta"]["progress"].as_u64().filter(|_| record["state"] == "PROGRESS"));
    }
    Ok(seen)
}

fn states(lines: &[String]) -> anyhow::Result<Vec<String>> {
    let state =
        |line: &String| Ok(serde_json::from_str::<Value>(line)?["state"].as_str().unwrap_or("?").to_owned());
    let mut states = lines.iter().map(state).collect::<anyhow::Result<Vec<_>>>()?;
    states.dedup();
    Ok(states)
}

#[tokio::test]
async fn watch_shows_every_state_with_rising_progress() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["progress"]).await?;
    host.drain().await?;
    let arguments = r#"{"steps":10,"delay_ms":100}"#;
    deployment.wasmhost(&["submit", "progress.run", arguments, "--id", "w"]).await?.ok()?;
    let mut watch = deployment.command().follow(&["watch", "progress.run.w", "--json"])?;
    watch.stdout.wait_for("PENDING").await?;
    let _host = deployment.host(&[]).await?;
    assert_eq!(watch.end().await?, 0);
    let lines = watch.stdout.to_end().await?;
    assert_eq!(states(&lines)?, ["PENDING", "STARTED", "PROGRESS", "SUCCESS"]);
    let seen = progress(&lines)?;
    ensure!(seen.is_sorted() && seen.len() > 5 && seen.last() == Some(&100), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn watch_goes_on_across_a_restart_of_the_server() -> Test {
    let (mut deployment, _host) = Deployment::with_host(&["progress"]).await?;
    let arguments = r#"{"steps":60,"delay_ms":100}"#;
    deployment.wasmhost(&["submit", "progress.run", arguments, "--id", "w"]).await?.ok()?;
    let mut watch = deployment.command().follow(&["watch", "progress.run.w", "--json"])?;
    watch.stdout.wait_for(r#""current":12"#).await?;
    let before = watch.stdout.text().lines().count();
    deployment.server.restart()?;
    assert_eq!(watch.end().await.with_context(|| watch.stderr.text())?, 0);
    let lines = watch.stdout.to_end().await?;
    assert_eq!(states(&lines)?.last().map(String::as_str), Some("SUCCESS"));
    ensure!(progress(&lines)?.is_sorted(), "{lines:?}");
    ensure!(progress(&lines[before..])?.len() > 3, "it saw progress after the restart as well: {lines:?}");
    Ok(())
}
