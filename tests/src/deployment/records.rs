//! The records of jobs and the presences of hosts, as they are in their buckets.

use anyhow::Context;
use serde_json::Value;

use super::Deployment;
use crate::limit::until_true;

impl Deployment {
    /// The record of a job, as it is in the bucket; none where there is none.
    ///
    /// # Errors
    ///
    /// The bucket cannot be read.
    pub async fn record(&self, key: &str) -> anyhow::Result<Option<Value>> {
        let text = self.record_text(key).await?;
        text.map(|text| serde_json::from_str(&text).context("a record that is not JSON")).transpose()
    }

    /// The record of a job that has one.
    ///
    /// # Errors
    ///
    /// The job has no record.
    pub async fn known_record(&self, key: &str) -> anyhow::Result<Value> {
        self.record(key).await?.with_context(|| format!("{key} has no record"))
    }

    /// The text of a job's record, as it is in the bucket; none where there is none.
    ///
    /// # Errors
    ///
    /// The bucket cannot be read.
    pub async fn record_text(&self, key: &str) -> anyhow::Result<Option<String>> {
        let entry = self.bucket("wasmhost-states").await?.get(key.to_owned()).await?;
        entry.map(|text| String::from_utf8(text.to_vec()).context("a record that is not UTF-8")).transpose()
    }

    /// What the hosts say of themselves.
    ///
    /// # Errors
    ///
    /// The command fails.
    pub async fn presences(&self) -> anyhow::Result<Vec<Value>> {
        self.wasmhost(&["hosts", "--json"]).await?.json_lines()
    }

    /// Waits until a host takes no more jobs, because it drains or has gone.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_draining(&self, host: &str) -> anyhow::Result<()> {
        let hosts = self.bucket("wasmhost-hosts").await?;
        until_true("a host that drains", async || {
            let Some(presence) = hosts.get(host.to_owned()).await? else { return Ok(true) };
            Ok(serde_json::from_slice::<Value>(&presence)?["draining"] == true)
        })
        .await
    }
}
