//! Kills the host of a job whenever the job runs, as a guest would that could.

use std::sync::Arc;

use serde_json::Value;

use super::{
    fleet::Fleet,
    notes::{Hit, Notes},
    witness::{Witness, is_terminal},
};

/// Kills every host that runs the job until the job has ended, and returns how many there were.
pub(super) async fn kill_hosts(
    key: &str,
    witness: &Witness,
    fleet: &Arc<Fleet>,
    notes: &Arc<Notes>,
) -> anyhow::Result<usize> {
    let mut killed = 0;
    let mut attempt = 0;
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
