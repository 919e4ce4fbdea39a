//! What a host may do is found out without doing it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use wasmhost_nats::{blobs, check_rights, ensure_consumer, hosts, publish_job, schedules};
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::presence::HostPresence;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_testing::Bench;
use wasmhost_testing::records::{claimed, key, queue};

use crate::consumers::pull_consumer;

/// All that the server holds: messages and sequences of each stream, and what was delivered of the queue.
async fn all(bench: &Bench) -> BTreeMap<String, (u64, u64, u64)> {
    let jetstream = &bench.jetstream;
    let streams: Vec<_> = jetstream.streams().try_collect().await.expect("a list");
    let streams = streams.into_iter().map(|info| {
        let state = info.state;
        (info.config.name, (state.messages, state.last_sequence, state.consumer_count as u64))
    });
    let mut all: BTreeMap<_, _> = streams.collect();
    let jobs = jetstream.get_stream(bench.connection.names.jobs_stream()).await.expect("it stands");
    let info = jobs.consumer_info("wasmhost-default").await.expect("it stands");
    all.insert(
        "delivered".to_owned(),
        (info.delivered.consumer_sequence, info.num_pending, info.num_waiting as u64),
    );
    all
}

#[tokio::test]
async fn a_look_at_rights_changes_nothing() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let consumer = ensure_consumer(connection, &queue(), Duration::from_secs(30)).await.unwrap();
    let options = JobOptions::default();
    publish_job(connection, &queue(), &key("a.b.1"), &options, "{}".into()).await.unwrap();
    publish_job(connection, &queue(), &key("a.b.2"), &options, "{}".into()).await.unwrap();
    let later = wasmhost_nats::now().plus(Duration::from_secs(3600));
    schedules::schedule_job(connection, &queue(), &key("a.b.3"), &options, later, "{}".into()).await.unwrap();
    blobs::put(connection, "a.b.1/1-x", vec![7; 3_000_000].into(), blobs::Life::UntilDeleted).await.unwrap();
    let (record, _) = claimed(&key("a.b.1"));
    wasmhost_nats::Records::new(connection).compare_and_set(&key("a.b.1"), &record, 0, None).await.unwrap();
    hosts::announce(connection, &presence()).await.unwrap();
    // One delivery is out, and keeps its time.
    let mut out = pull_consumer(&bench, &consumer).await.fetch().max_messages(1).messages().await.unwrap();
    let delivered = out.next().await.unwrap().unwrap();

    let before = all(&bench).await;
    check_rights(connection, &[queue()]).await.unwrap();
    assert_eq!(all(&bench).await, before);
    assert_eq!(connection.last_denial(), None);
    delivered.double_ack().await.unwrap();
}

fn presence() -> HostPresence {
    HostPresence {
        v: HostPresence::VERSION,
        id: HostId::parse("h-1").expect("a host id"),
        version: "0".to_owned(),
        started_at: Timestamp::from_unix_ms(0),
        updated_at: Timestamp::from_unix_ms(0),
        queues: vec![queue()],
        slots: 1,
        running: 0,
        draining: false,
        ready: true,
    }
}
