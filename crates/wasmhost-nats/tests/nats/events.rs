//! Events carry both revision numbers, so that a gap shows.

use futures::Stream;
use wasmhost_nats::{Event, Heard, JobFilter, Records, subscribe, subscribe_all};
use wasmhost_protocol::record::StoredEntry;
use wasmhost_testing::records::{claimed, key, succeeded};
use wasmhost_testing::{Bench, next_of};

/// The next event of a subscription that must not miss any.
pub(crate) async fn next_event(heard: &mut (impl Stream<Item = Heard> + Unpin)) -> Event {
    match next_of(heard).await {
        Heard::Event(event) => event,
        Heard::Missed => panic!("nothing is missed"),
    }
}

#[tokio::test]
async fn each_event_names_the_revision_before_it() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let mine = key("a.b.1");
    let other = key("a.b.2");
    let mut events = subscribe(&bench.connection, &mine).await.unwrap();
    let mut all = subscribe_all(&bench.connection, &JobFilter::All).await.unwrap();
    let (record, token) = claimed(&mine);
    let first = records.compare_and_set(&mine, &record, 0, None).await.unwrap();
    let between = records.compare_and_set(&other, &claimed(&other).0, 0, None).await.unwrap();
    let end = succeeded(&record, token);
    let second = records.compare_and_set(&mine, &end, first, None).await.unwrap();
    records.delete(&mine, second).await.unwrap();

    let event = next_event(&mut events).await;
    assert_eq!((event.key, event.revision, event.previous), (mine.clone(), first, 0));
    let event = next_event(&mut events).await;
    assert_eq!((event.revision, event.previous), (second, first));
    assert_eq!(event.stored, StoredEntry::Record { record: Box::new(end), revision: second });
    let event = next_event(&mut events).await;
    assert_eq!(event.previous, second);
    assert!(matches!(event.stored, StoredEntry::Deleted(marker) if !marker.expired));

    let numbers = [next_event(&mut all).await, next_event(&mut all).await]
        .map(|event| (event.revision, event.previous));
    assert_eq!(numbers, [(first, 0), (between, 0)]);
}

#[tokio::test]
async fn a_write_that_lost_and_a_strangers_message_make_no_event() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let mut events = subscribe(&bench.connection, &key).await.unwrap();
    let (record, token) = claimed(&key);
    let first = records.compare_and_set(&key, &record, 0, None).await.unwrap();
    records.compare_and_set(&key, &claimed(&key).0, 0, None).await.unwrap_err();
    let subject = bench.connection.names.event_subject(&key);
    bench.nats.publish(subject, record.to_bytes().into()).await.unwrap();
    bench.round_trip().await;
    let second = records.compare_and_set(&key, &succeeded(&record, token), first, None).await.unwrap();
    assert_eq!(next_event(&mut events).await.revision, first);
    assert_eq!(next_event(&mut events).await.revision, second);
}
