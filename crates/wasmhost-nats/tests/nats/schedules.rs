//! What a schedule fires arrives in the job stream, with its headers.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_nats::jobs::remove_job;
use wasmhost_nats::schedules::{latest, schedule_job, schedule_of, sourcing, unschedule};
use wasmhost_nats::{
    Connection, PublishError, Published, discard_due, due_of, ensure_consumer, message_of, next_due, now,
    publish_job, remove_due,
};
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_testing::records::{key, queue};
use wasmhost_testing::{Bench, next_of, within};

use crate::consumers::pull_consumer;

const HOUR: Duration = Duration::from_secs(3600);

/// Schedules `a.b.1` for the record's revision `revision`.
async fn schedule(bench: &Bench, revision: u64, at: Timestamp) -> Result<Published, PublishError> {
    let options = JobOptions { revision: Some(revision), ..JobOptions::default() };
    let body = revision.to_string().into();
    schedule_job(&bench.connection, &queue(), &key("a.b.1"), &options, at, body).await
}

/// Waits until the newest message of the job is this one.
async fn until_queued(bench: &Bench, key: &JobKey, body: &str) {
    let queued = async {
        while message_of(&bench.connection, key).await.expect("an answer").is_none_or(|m| m.payload != body) {
        }
    };
    within("a message in the job stream", queued).await;
}

#[tokio::test]
async fn a_due_job_is_queued() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    let consumer = ensure_consumer(connection, &queue(), Duration::from_secs(30)).await.unwrap();
    let options = JobOptions { revision: Some(3), ..JobOptions::default() };
    let at = now().plus(Duration::from_millis(300));
    schedule_job(connection, &queue(), &key, &options, at, Bytes::from_static(b"[1]")).await.unwrap();
    assert!(schedule_of(connection, &key).await.unwrap().is_some());
    let mut messages =
        pull_consumer(&bench, &consumer).await.stream().max_messages_per_batch(10).messages().await.unwrap();
    let message = next_of(&mut messages).await.unwrap();
    assert_eq!(message.subject.as_str(), connection.names.job_subject(&queue(), &key));
    assert_eq!(message.payload, "[1]");
    assert_eq!(message.headers.as_ref().unwrap().get("Wasmhost-Revision").unwrap().as_str(), "3");
    assert!(schedule_of(connection, &key).await.unwrap().is_none());
    let sourcing = sourcing(connection).await.unwrap();
    assert!(sourcing.lag == 0 && sourcing.contact.is_some(), "{sourcing:?}");
}

#[tokio::test]
async fn an_unscheduled_job_is_gone() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    let at = now().plus(Duration::from_secs(3600));
    schedule_job(connection, &queue(), &key, &JobOptions::default(), at, Bytes::new()).await.unwrap();
    assert!(unschedule(connection, &key).await.unwrap());
    assert!(!unschedule(connection, &key).await.unwrap());
    assert!(schedule_of(connection, &key).await.unwrap().is_none());
    assert!(message_of(connection, &key).await.unwrap().is_none());
}

#[tokio::test]
async fn a_second_schedule_for_a_job_is_refused_while_one_stands() {
    let bench = Bench::new().await;
    schedule(&bench, 1, now().plus(HOUR)).await.unwrap();
    for revision in [1, 2] {
        let again = schedule(&bench, revision, now().plus(HOUR)).await;
        assert!(matches!(again, Err(PublishError::AlreadyStored(_))), "{again:?}");
    }
    assert_eq!(schedule_of(&bench.connection, &key("a.b.1")).await.unwrap().unwrap().payload, "1");
}

#[tokio::test]
async fn a_schedule_that_has_fired_is_a_duplicate_for_the_same_revision_only() {
    let bench = Bench::new().await;
    let past = now().minus(HOUR);
    let first = schedule(&bench, 1, past).await.unwrap();
    until_queued(&bench, &key("a.b.1"), "1").await;
    let again = schedule(&bench, 1, past).await.unwrap();
    assert!(again.duplicate && again.sequence == first.sequence, "{again:?}");
    assert!(!schedule(&bench, 2, past).await.unwrap().duplicate);
    // What fired first still stands on the subject that the second one fires to.
    until_queued(&bench, &key("a.b.1"), "2").await;
    assert_eq!(due_of(&bench.connection, &key("a.b.1")).await.unwrap().unwrap().payload, "2");
}

#[tokio::test]
async fn a_due_job_waits_for_room_in_the_job_stream() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let waiting = key("a.b.1");
    let jobs = connection.names.jobs_stream();
    bench.edit_stream(jobs.clone(), |config| config.max_messages = 1).await;
    publish_job(connection, &queue(), &key("a.b.2"), &JobOptions::default(), Bytes::new()).await.unwrap();
    schedule(&bench, 1, now()).await.unwrap();
    let due = async { while due_of(connection, &waiting).await.unwrap().is_none() {} };
    within("a schedule that fires", due).await;
    assert!(message_of(connection, &waiting).await.unwrap().is_none());
    assert!(sourcing(connection).await.unwrap().full);
    bench.edit_stream(jobs, |config| config.max_messages = 3).await;
    until_queued(&bench, &waiting, "1").await;
    assert!(!sourcing(connection).await.unwrap().full);
}

#[tokio::test]
async fn what_waits_for_room_outlives_a_kill_of_the_server() {
    let mut bench = Bench::new().await;
    let jobs = bench.connection.names.jobs_stream();
    // As an acknowledgement does: a purge would make the server write its state down.
    let settle = async |connection: &Connection, key: &JobKey| {
        let message = message_of(connection, key).await.unwrap().expect("it is queued");
        remove_job(connection, message.sequence).await.unwrap();
    };
    // One that fires and is gone again: an emptied work queue does not know of it.
    schedule(&bench, 1, now().minus(HOUR)).await.unwrap();
    until_queued(&bench, &key("a.b.1"), "1").await;
    settle(&bench.connection, &key("a.b.1")).await;
    bench.edit_stream(jobs.clone(), |config| config.max_messages = 1).await;
    // The stream has room for one message. A job that is published directly takes it when the next schedule fires, and
    // another one when the server dies.
    let connection = &bench.connection;
    let options = JobOptions::default();
    publish_job(connection, &queue(), &key("a.b.2"), &options, Bytes::new()).await.unwrap();
    schedule(&bench, 2, now().minus(HOUR)).await.unwrap();
    let waits = async { while schedule_of(connection, &key("a.b.1")).await.unwrap().is_some() {} };
    within("a schedule that fires", waits).await;
    settle(connection, &key("a.b.2")).await;
    publish_job(connection, &queue(), &key("a.b.3"), &options, Bytes::new()).await.unwrap();
    assert!(message_of(connection, &key("a.b.1")).await.unwrap().is_none(), "it came first");
    bench.server.kill().unwrap();
    bench.server.restart().unwrap();
    bench.connection = Connection::open(&bench.config).await.unwrap();
    bench.edit_stream(jobs, |config| config.max_messages = 10).await;
    until_queued(&bench, &key("a.b.1"), "2").await;
}

#[tokio::test]
async fn the_latest_time_is_counted_and_a_later_one_fires_at_once() {
    let bench = Bench::new().await;
    schedule(&bench, 1, Timestamp::parse("2262-06-01T00:00:00Z").unwrap()).await.unwrap();
    until_queued(&bench, &key("a.b.1"), "1").await;
    schedule(&bench, 2, latest()).await.unwrap();
    // The one that fires at once is the later of the two.
    let other = JobOptions::default();
    schedule_job(&bench.connection, &queue(), &key("a.b.2"), &other, now(), Bytes::new()).await.unwrap();
    until_queued(&bench, &key("a.b.2"), "").await;
    assert!(schedule_of(&bench.connection, &key("a.b.1")).await.unwrap().is_some());
}

/// Lets schedules take so many bytes together.
async fn let_schedules_take(bench: &Bench, bytes: usize) {
    let setting = Names::SCHEDULES_MAX_BYTES.to_owned();
    let schedules = bench.connection.names.schedules_stream();
    bench.edit_stream(schedules, |config| drop(config.metadata.insert(setting, bytes.to_string()))).await;
}

/// Schedules `a.b.<n>` for long after the test, with a body of so many bytes.
async fn schedule_large(bench: &Bench, n: usize, bytes: usize) -> Result<Published, PublishError> {
    let key = key(&format!("a.b.{n}"));
    let body = Bytes::from(vec![b' '; bytes]);
    schedule_job(&bench.connection, &queue(), &key, &JobOptions::default(), now().plus(HOUR), body).await
}

#[tokio::test]
async fn full_schedules_refuse_the_newest_instead_of_dropping_the_oldest() {
    let bench = Bench::new().await;
    let_schedules_take(&bench, 64 << 10).await;
    let mut accepted = 0;
    let refused = loop {
        match schedule_large(&bench, accepted, 1 << 10).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 64, "it never was full");
    };
    assert!(matches!(refused, PublishError::Full { .. }), "{refused}");
    for n in 0..accepted {
        let key = key(&format!("a.b.{n}"));
        assert!(schedule_of(&bench.connection, &key).await.unwrap().is_some(), "{key}");
    }
}

#[tokio::test]
async fn of_large_schedules_that_come_at_once_all_that_are_accepted_stand() {
    let bench = Bench::new().await;
    let_schedules_take(&bench, 1 << 20).await;
    let tries = (0..16).map(|n| schedule_large(&bench, n, 512 << 10));
    let accepted = futures::future::join_all(tries).await;
    assert!(accepted.iter().filter(|accepted| accepted.is_ok()).count() > 2, "they were not at once");
    for (n, _) in accepted.iter().enumerate().filter(|(_, accepted)| accepted.is_ok()) {
        let key = key(&format!("a.b.{n}"));
        assert!(schedule_of(&bench.connection, &key).await.unwrap().is_some(), "{key}");
    }
    let refused = schedule_large(&bench, 99, 1).await;
    assert!(matches!(refused, Err(PublishError::Full { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_fired_is_deleted_up_to_the_message_that_came_of_it() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    for revision in [1, 2] {
        schedule(&bench, revision, now().minus(HOUR)).await.unwrap();
        until_queued(&bench, &key, &revision.to_string()).await;
    }
    let first = next_due(connection, 1).await.unwrap().unwrap();
    let fired = connection.names.parse_due_subject(&first.subject).unwrap();
    discard_due(connection, &fired, first.sequence).await.unwrap();
    let second = next_due(connection, 1).await.unwrap().unwrap();
    assert_eq!((second.payload.as_ref(), second.sequence > first.sequence), (&b"2"[..], true));
    remove_due(connection, first.sequence).await.expect("it is gone already");
    remove_due(connection, second.sequence).await.unwrap();
    assert!(
        next_due(connection, 1).await.unwrap().is_none() && due_of(connection, &key).await.unwrap().is_none()
    );
}
