//! Many jobs at once.

use std::time::Instant;

use anyhow::Context;
use end_to_end::Deployment;
use serde_json::json;
use wasmhost_client::Submission;

use super::{Test, say};

const JOBS: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_jobs_all_succeed_as_another_process_counts() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let client = deployment.client().await?;
    let job = Submission::new("hello.run", &json!({}))?;
    let started = Instant::now();
    let accepted = client.submit_many((0..JOBS).map(|_| job.clone())).await;
    let submitted = started.elapsed();
    for answer in accepted {
        answer.context("every job is accepted")?;
    }
    deployment.until_queue_empty().await?;
    let done = started.elapsed();
    let counted = deployment.wasmhost(&["jobs", "--state", "SUCCESS", "--json"]).await?;
    assert_eq!(counted.ok()?.lines().count(), JOBS);
    let rate = |time: std::time::Duration| JOBS as f64 / time.as_secs_f64();
    say(&format!("{JOBS} jobs: {:.0} submitted/s, {:.0} done/s", rate(submitted), rate(done)));
    host.check_alive()
}
