//! `wasmhost bench`: it measures, and leaves nothing running.

use anyhow::{Context, ensure};
use end_to_end::{Wasmhost, nats_server};
use serde_json::Value;

use super::Test;

#[tokio::test]
async fn each_scenario_is_measured_beside_its_ceiling() -> Test {
    // It starts a server of its own, so that the address is nobody's.
    let wasmhost = Wasmhost::at("nats://127.0.0.1:1".to_owned());
    let server = nats_server()?.display().to_string();
    let few = ["--jobs", "1000", "--rounds", "1", "--callers", "8"];
    let ran = wasmhost.run(&[&["bench", "--json", "--nats-server", &server], &few[..]].concat()).await?;
    let report: Value = serde_json::from_str(ran.ok()?).with_context(|| ran.to_string())?;
    let rows = report["rows"].as_array().context("rows")?;
    let scenarios: Vec<_> = rows.iter().filter_map(|row| row["scenario"].as_str()).collect();
    assert_eq!(scenarios, ["drain", "closed", "latency", "submit", "submit-one"]);
    let targets = report["targets"].as_array().context("targets")?;
    ensure!(targets.iter().all(|target| target["measured"].is_number()), "{targets:?}");
    assert_eq!(targets.len(), 5, "{targets:?}");
    for row in rows {
        let is_positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
        ensure!(is_positive(&row["ratio"]), "{row}");
        let scenario = row["scenario"].as_str().context("a name")?;
        ensure!(is_positive(&row["wasmhost"]["server_us"]), "{row}");
        ensure!(is_positive(&row["wasmhost"]["host_us"]) != scenario.starts_with("submit"), "{row}");
        ensure!(row["ceiling"]["host_us"] == 0.0, "a ceiling runs no host: {row}");
        let waits = !["drain", "submit"].contains(&scenario);
        ensure!(row["wasmhost"]["p99_ms"].is_number() == waits, "{row}");
    }
    Ok(())
}
