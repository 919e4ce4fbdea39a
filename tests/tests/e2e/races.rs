//! A revoke races against the end of its job: whichever wins, every client gets the same answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use end_to_end::Deployment;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use wasmhost_client::{Client, RevokeError};

use super::{Test, say};

const RACES: u64 = 1_000;
/// Races under way at a time.
const AT_A_TIME: usize = 50;

/// How long after the submit the revoke starts, in milliseconds. It is later after each race that the revoke won, and earlier after
/// each that it lost, so that both ends of the race happen on a machine of any speed.
#[derive(Debug, Default)]
struct Handicap(AtomicU64);

impl Handicap {
    fn of(&self, number: u64) -> Duration {
        Duration::from_millis((self.0.load(Ordering::Relaxed) + number * 7 % 20).saturating_sub(10))
    }

    fn after(&self, answer: &str) {
        let next = |now: u64| if answer == "REVOKED" { now + 1 } else { now.saturating_sub(1) };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(next(now))).ok();
    }
}

/// Runs one race, and returns the job's id and the state in the client's answer.
async fn race(client: &Client, handicap: &Handicap, number: u64) -> anyhow::Result<(String, String)> {
    let id = format!("r{number}");
    let job = client.task("storm.run").id(&id).submit(&json!({ "sleep_ms": number % 40 })).await?;
    tokio::time::sleep(handicap.of(number)).await;
    let answer = match job.revoke("a race").await {
        Ok(record) => record.label(),
        Err(RevokeError::TooLate { record }) => record.label(),
        Err(error) => return Err(error.into()),
    };
    let answer = answer.to_string();
    handicap.after(&answer);
    Ok((id, answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_against_the_end_has_one_answer_in_a_thousand_races() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["storm"]).await?;
    let mut events = deployment.events().await?;
    let client = deployment.client().await?;
    let handicap = Handicap::default();
    let races =
        stream::iter(0..RACES).map(|number| race(&client, &handicap, number)).buffer_unordered(AT_A_TIME);
    let answers: Vec<_> = races.try_collect().await?;
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    for (id, answer) in answers {
        let history = events.until_end(&format!("storm.run.{id}")).await?;
        assert_eq!(history.last()["state"], answer, "the client got another answer: {history}");
        *ends.entry(answer).or_default() += 1;
    }
    say(&format!("{RACES} races ended {ends:?}"));
    ensure!(
        ["SUCCESS", "REVOKED"].iter().all(|end| ends.get(*end).is_some_and(|count| *count >= 50)),
        "{ends:?}"
    );
    deployment.until_queue_empty().await?;
    host.check_alive()
}
