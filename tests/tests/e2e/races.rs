//! A revoke against the end of the job: whoever wins, everybody is told the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// When the revoke starts after the submit, in milliseconds: later after each race that it won, earlier after each that it
/// lost, so that both ends of the race happen on a machine of any speed.
#[derive(Debug, Default)]
struct Handicap(AtomicU64);

impl Handicap {
    fn of(&self, number: u64) -> Duration {
        Duration::from_millis((self.0.load(Ordering::Relaxed) + number * 7 % 20).saturating_sub(10))
    }

    fn after(&self, told: &str) {
        let next = |now: u64| if told == "REVOKED" { now + 1 } else { now.saturating_sub(1) };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(next(now))).ok();
    }
}

/// One race: the job's id, and the state that the client was told.
async fn race(client: &Client, handicap: &Handicap, number: u64) -> anyhow::Result<(String, String)> {
    let id = format!("r{number}");
    let job = client.task("storm.run").id(&id).submit(&json!({ "sleep_ms": number % 40 })).await?;
    tokio::time::sleep(handicap.of(number)).await;
    let told = match job.revoke("a race").await {
        Ok(record) => record.state(),
        Err(RevokeError::TooLate { record }) => record.state(),
        Err(error) => return Err(error.into()),
    };
    let told = told.to_string();
    handicap.after(&told);
    Ok((id, told))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_against_the_end_has_one_answer_in_a_thousand_races() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["storm"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let handicap = Handicap::default();
    let races =
        stream::iter(0..RACES).map(|number| race(&client, &handicap, number)).buffer_unordered(AT_A_TIME);
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
