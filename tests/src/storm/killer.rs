//! Kills the host of a job whenever it runs: what a guest would do that could.

use std::sync::Arc;

use serde_json::Value;

use super::{
    fleet::Fleet,
    notes::{Hit, Notes},
    witness::{Witness, is_terminal},
};

/// Kills whoever runs the job, claim by claim, until it has ended; how often.
pub(super) async fn kill_hosts(
    key: &str,
    witness: &Witness,
    fleet: &Arc<Fleet>,
    notes: &Arc<Notes>,
) -> anyhow::Result<usize> {
    let (mut killed, mut attempt) = (0, 0);
    loop {
        let runs =
            |record: &Value| record["state"] == "STARTED" && record["attempt"].as_u64() > Some(attempt);
        let record = witness.until(key, |record| runs(record) || is_terminal(record)).await?;
        if is_terminal(&record) {
            return Ok(killed);
        }
        attempt = record["attempt"].as_u64().unwrap_or_default();
        let host = record["host"].as_str().unwrap_or_default();
        if fleet.kill_host(host).await {
            notes.fault("kill", Hit::host(host));
            killed += 1;
        }
    }
}
