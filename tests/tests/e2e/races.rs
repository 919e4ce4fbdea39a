//! A revoke against the end of the job: whoever wins, everybody is told the same.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use end_to_end::{Deployment, until};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use wasmhost_client::{Client, RevokeError};

use super::Test;

const RACES: u64 = 1_000;
/// Races under way at a time.
const AT_A_TIME: usize = 50;

/// One race: the job's id, and the state that the client was told.
async fn race(client: &Client, number: u64) -> anyhow::Result<(String, String)> {
    let id = format!("r{number}");
    let job = client.task("storm.run").id(&id).submit(&json!({ "sleep_ms": number % 40 })).await?;
    tokio::time::sleep(Duration::from_millis(number * 7 % 60)).await;
    let told = match job.revoke("a race").await {
        Ok(record) => record.state(),
        Err(RevokeError::TooLate { record }) => record.state(),
        Err(error) => return Err(error.into()),
    };
    Ok((id, told.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_against_the_end_has_one_answer_in_a_thousand_races() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["storm"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let races = stream::iter(0..RACES).map(|number| race(&client, number)).buffer_unordered(AT_A_TIME);
    let told: Vec<_> = races.try_collect().await?;
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    for (id, told) in told {
        let history = events.until_end(&format!("storm.run.{id}")).await?;
        assert_eq!(history.last()["state"], told, "the client was told otherwise: {history}");
        *ends.entry(told).or_default() += 1;
    }
    eprintln!("{RACES} races ended {ends:?}");
    ensure!(
        ["SUCCESS", "REVOKED"].iter().all(|end| ends.get(*end).is_some_and(|count| *count >= 50)),
        "{ends:?}"
    );
    let jetstream = async_nats::jetstream::new(deployment.nats.clone());
    let mut jobs = jetstream.get_stream("WASMHOST_JOBS").await?;
    until("an empty job stream", async || Ok((jobs.info().await?.state.messages == 0).then_some(()))).await?;
    host.check_alive()
}
