//! The end of a recording: when the system is idle, and which messages remain.

use std::time::Duration;

use tokio::time::timeout;
use wasmhost_audit::{Entry, Recorder, remaining};
use wasmhost_nats::schedules::schedule_job;
use wasmhost_nats::{Connection, Records, message_at, message_of, now, publish_job};
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobId, JobKey};
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_testing::records::{key, queue};
use wasmhost_testing::{Bench, PATIENCE, within};

use super::{STILL, live};

async fn schedule(connection: &Connection, key: &JobKey, at: Timestamp) {
    let options = JobOptions::default();
    schedule_job(connection, &queue(), key, &options, at, "1".into()).await.expect("it is scheduled");
}

#[tokio::test]
async fn a_system_is_idle_when_nothing_happens_and_nothing_is_queued() {
    let bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    publish_job(&bench.connection, &queue(), &key("work.run.1"), &JobOptions::default(), "1".into())
        .await
        .unwrap();
    timeout(3 * STILL, recorder.idle(STILL)).await.expect_err("a message is queued");

    let stream = bench.jetstream.get_stream(bench.connection.names.jobs_stream()).await.unwrap();
    stream.purge().await.unwrap();
    let records = Records::new(&bench.connection);
    let run = async {
        for number in 0..10 {
            live(&records, &key(&format!("work.run.{number}"))).await;
        }
        now()
    };
    let (ended, idle) = tokio::join!(run, timeout(PATIENCE, recorder.idle(STILL)));
    idle.expect("it is idle");
    let capture = recorder.finish().await;
    let quiet = capture.entries.iter().find_map(|entry| match entry {
        Entry::Quiet(quiet) => Some(quiet.at),
        _ => None,
    });
    let waited = quiet.expect("it is noted").since(ended);
    assert!(waited >= STILL / 2, "{waited:?} after the last write");
}

#[tokio::test]
async fn what_a_schedule_fired_remains_once() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("work.run.1");
    schedule(connection, &key, now().minus(Duration::from_secs(1))).await;
    let queued = async { while message_of(connection, &key).await.expect("the server answers").is_none() {} };
    within("a message in the job stream", queued).await;
    let remaining = remaining(connection).await.unwrap();
    let subjects: Vec<_> = remaining.into_iter().map(|message| message.subject).collect();
    assert_eq!(subjects, [connection.names.job_subject(&queue(), &key)]);
}

#[tokio::test]
async fn what_remains_is_listed_with_its_job() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let names = &connection.names;
    let task = key("work.run.1").task().clone();
    publish_job(connection, &queue(), &key("work.run.1"), &JobOptions::default(), "1".into()).await.unwrap();
    schedule(connection, &key("work.run.2"), now().plus(Duration::from_secs(3600))).await;
    let raw = names.job_without_id(&queue(), &task);
    bench.jetstream.publish(raw.clone(), "1".into()).await.unwrap().await.unwrap();
    let stands = message_at(connection, 2).await.unwrap().expect("it stands");
    let derived = JobKey::new(task, JobId::derived(2, stands.stored_at.unix_ms()));

    let remaining = remaining(connection).await.unwrap();
    let listed: Vec<_> = remaining
        .iter()
        .map(|message| (message.subject.as_str(), message.sequence, message.key.clone()))
        .collect();
    let scheduled = key("work.run.2");
    let queued = key("work.run.1");
    assert_eq!(
        listed,
        [
            (names.schedule(&queue(), &scheduled).as_str(), 1, Some(scheduled)),
            (names.job_subject(&queue(), &queued).as_str(), 1, Some(queued)),
            (raw.as_str(), 2, Some(derived)),
        ]
    );
}
