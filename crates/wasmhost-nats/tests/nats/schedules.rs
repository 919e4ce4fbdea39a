//! What a schedule fires arrives in the job stream, with its headers.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_nats::schedules::{schedule_job, schedule_of, sourcing, unschedule};
use wasmhost_nats::{ensure_consumer, message_of, now};
use wasmhost_protocol::JobOptions;

use crate::bench::{Bench, key, next_of, queue};

#[tokio::test]
async fn a_due_job_is_queued() {
    let bench = Bench::new().await;
    let (connection, key) = (&bench.connection, key("a.b.1"));
    let consumer = ensure_consumer(connection, &queue(), Duration::from_secs(30)).await.unwrap();
    let options = JobOptions { revision: Some(3), ..JobOptions::default() };
    let at = now().plus(Duration::from_millis(300));
    schedule_job(connection, &queue(), &key, &options, at, Bytes::from_static(b"[1]")).await.unwrap();
    assert!(schedule_of(connection, &key).await.unwrap().is_some());
    let mut messages = consumer.pull.stream().max_messages_per_batch(10).messages().await.unwrap();
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
    let (connection, key) = (&bench.connection, key("a.b.1"));
    let at = now().plus(Duration::from_secs(3600));
    schedule_job(connection, &queue(), &key, &JobOptions::default(), at, Bytes::new()).await.unwrap();
    assert!(unschedule(connection, &key).await.unwrap());
    assert!(!unschedule(connection, &key).await.unwrap());
    assert!(schedule_of(connection, &key).await.unwrap().is_none());
    assert!(message_of(connection, &key).await.unwrap().is_none());
}
