//! Runs that the auditor records and checks.

use std::time::Duration;

use anyhow::{Context, ensure};
use wasmhost_audit::{Answer, Entry, Recorder, Submit, Verdict, check};
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_nats::{ConnectConfig, now};

use crate::limit::within;

/// How long nothing may be written before a run counts as over.
const STILL: Duration = Duration::from_millis(500);

/// A recorder, from before the first job.
#[derive(Debug)]
pub struct Audited(Recorder);

impl Audited {
    pub(crate) async fn start(url: &str) -> anyhow::Result<Self> {
        Ok(Self(Recorder::open(&ConnectConfig::new(url)).await.context("the auditor's recorder")?))
    }

    /// Notes that a job was accepted.
    ///
    /// # Errors
    ///
    /// The text is not a key.
    pub fn accepted(&self, key: &str) -> anyhow::Result<()> {
        let key = JobKey::parse(key)?;
        self.0.note(Entry::Submit(Submit {
            key,
            answer: Answer::Accepted,
            at: Some(now()),
            args_digest: None,
        }));
        Ok(())
    }

    /// Waits until nothing is queued and nothing happens any more, and checks every promise.
    ///
    /// # Errors
    ///
    /// A promise is broken, or it is not proven that all are kept.
    pub async fn prove(self) -> anyhow::Result<()> {
        within("a system at rest", self.0.idle(STILL)).await?;
        let report = check(&self.0.finish().await);
        ensure!(report.verdict == Verdict::Proven, "{report}");
        Ok(())
    }
}
