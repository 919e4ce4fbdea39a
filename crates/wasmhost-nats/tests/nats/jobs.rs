//! One message a key.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_nats::{PublishError, ensure_consumer, message_at, message_of, publish_job};
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::QueueName;
use wasmhost_testing::records::{key, queue};
use wasmhost_testing::{Bench, next_of};

use crate::consumers::pull_consumer;

const ACK_WAIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_second_message_for_a_key_is_refused_while_one_stands() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    let body = Bytes::from_static(b"{}");
    let options = JobOptions { revision: Some(7), queue: Some(queue()), ..JobOptions::default() };
    let published = publish_job(connection, &queue(), &key, &options, body.clone()).await.unwrap();
    assert!(!published.duplicate);
    let error = publish_job(connection, &queue(), &key, &options, body.clone()).await.unwrap_err();
    assert!(matches!(error, PublishError::AlreadyStored(_)), "{error}");

    let message = message_of(connection, &key).await.unwrap().unwrap();
    assert_eq!((message.sequence, &message.payload), (published.sequence, &body));
    let ours: Vec<_> = message.pairs().filter(|(name, _)| name.starts_with("Wasmhost-")).collect();
    assert_eq!(ours, [("Wasmhost-Revision", "7")]);
    assert_eq!(message_at(connection, published.sequence).await.unwrap().unwrap().subject, message.subject);
}

#[tokio::test]
async fn the_same_key_in_another_queue_is_a_duplicate() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    let body = Bytes::from_static(b"{}");
    let first = publish_job(connection, &queue(), &key, &JobOptions::default(), body.clone()).await.unwrap();
    let other = QueueName::parse("other").unwrap();
    let second = publish_job(connection, &other, &key, &JobOptions::default(), body).await.unwrap();
    assert!(second.duplicate);
    assert_eq!(second.sequence, first.sequence);
}

#[tokio::test]
async fn only_the_message_of_the_same_revision_is_a_duplicate_of_one_that_is_gone() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    let publish = async |revision| {
        let options = JobOptions { revision: Some(revision), ..JobOptions::default() };
        publish_job(connection, &queue(), &key, &options, Bytes::new()).await.unwrap()
    };
    let first = publish(7).await;
    let stream = bench.jetstream.get_stream(connection.names.jobs_stream()).await.unwrap();
    stream.delete_message(first.sequence).await.unwrap();
    assert!(publish(7).await.duplicate);
    assert!(!publish(8).await.duplicate);
}

#[tokio::test]
async fn a_settled_message_is_gone() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let key = key("a.b.1");
    assert!(message_of(connection, &key).await.unwrap().is_none());
    let consumer = ensure_consumer(connection, &queue(), ACK_WAIT).await.unwrap();
    let again = ensure_consumer(connection, &queue(), ACK_WAIT).await.unwrap();
    assert_eq!(consumer.created, again.created);
    publish_job(connection, &queue(), &key, &JobOptions::default(), Bytes::from_static(b"{}")).await.unwrap();
    let mut messages =
        pull_consumer(&bench, &consumer).await.fetch().max_messages(1).messages().await.unwrap();
    let message = next_of(&mut messages).await.unwrap();
    message.double_ack().await.unwrap();
    assert!(message_of(connection, &key).await.unwrap().is_none());
}

#[tokio::test]
async fn a_full_stream_and_a_large_body_have_different_errors() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    bench.edit_stream(connection.names.jobs_stream(), |config| config.max_messages = 1).await;
    let publish = async |text: &str, size: usize| {
        let body = Bytes::from(vec![b' '; size]);
        publish_job(connection, &queue(), &key(text), &JobOptions::default(), body).await
    };
    publish("a.b.1", 2).await.unwrap();
    assert!(matches!(publish("a.b.2", 2).await, Err(PublishError::Full { .. })));
    assert!(matches!(publish("a.b.3", 900 << 10).await, Err(PublishError::TooLarge(_))));
    assert!(matches!(publish("a.b.4", 2 << 20).await, Err(PublishError::TooLarge(_))));
}
