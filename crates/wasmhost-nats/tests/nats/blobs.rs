//! Blobs come back whole or not at all.

use std::time::Duration;

use async_nats::jetstream::{consumer::pull, object_store::ObjectStore, stream::Stream};
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::time::sleep;
use wasmhost_nats::blobs::{self, Life, ObjectError};
use wasmhost_nats::random_token;
use wasmhost_protocol::bounds;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::record::BlobRef;
use wasmhost_testing::records::key;
use wasmhost_testing::{Bench, next_of, within};

async fn stream(bench: &Bench) -> Stream {
    bench.stream(bench.connection.names.blobs_stream()).await
}

async fn store(bench: &Bench) -> ObjectStore {
    let store = bench.connection.names.blobs_store();
    bench.jetstream.get_object_store(store).await.expect("an object store")
}

async fn messages(bench: &Bench) -> u64 {
    stream(bench).await.cached_info().state.messages
}

/// Stores two megabytes, which are four messages.
async fn put_many(bench: &Bench, name: &str, life: Life) -> BlobRef {
    let bytes = Bytes::from((0..2_000_000_u32).map(|at| (at % 251) as u8).collect::<Vec<_>>());
    blobs::put(&bench.connection, name, bytes, life).await.expect("it is stored")
}

#[tokio::test]
async fn a_blob_reads_back_until_it_is_deleted() {
    let bench = Bench::new().await;
    let name = bench.connection.names.blob_name(&key("a.b.1"), 1, &random_token().to_string());
    let bytes = Bytes::from(vec![7; 3_000_000]);
    let blob = blobs::put(&bench.connection, &name, bytes.clone(), Life::UntilDeleted).await.unwrap();
    assert_eq!(blob, BlobRef { name: name.clone(), digest: Digest::of(&bytes), bytes: 3_000_000 });
    assert_eq!(blobs::get(&bench.connection, &blob).await.unwrap(), bytes);
    assert!(blobs::delete(&bench.connection, &name).await.unwrap());
    assert!(!blobs::delete(&bench.connection, &name).await.unwrap());
    assert!(matches!(blobs::get(&bench.connection, &blob).await, Err(ObjectError::Missing(_))));
}

#[tokio::test]
async fn a_blob_of_the_largest_size_reads_back() {
    let bench = Bench::new().await;
    let bytes = Bytes::from(vec![7; usize::try_from(bounds::BLOB_BYTES.max).unwrap()]);
    let blob = blobs::put(&bench.connection, "largest", bytes.clone(), Life::UntilDeleted).await.unwrap();
    assert!(blobs::get(&bench.connection, &blob).await.unwrap() == bytes);
}

#[tokio::test]
async fn an_empty_blob_reads_back() {
    let bench = Bench::new().await;
    let blob = blobs::put(&bench.connection, "empty", Bytes::new(), Life::UntilDeleted).await.unwrap();
    assert!(blobs::get(&bench.connection, &blob).await.unwrap().is_empty());
}

#[tokio::test]
async fn wrong_bytes_links_and_sizes_are_refused() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let good = blobs::put(connection, "good", Bytes::from_static(b"good"), Life::UntilDeleted).await.unwrap();
    let wrong = BlobRef { digest: Digest::of(b"bad"), ..good.clone() };
    assert!(matches!(blobs::get(connection, &wrong).await, Err(ObjectError::Corrupt { .. })));
    let short = BlobRef { bytes: 3, ..good.clone() };
    assert!(matches!(blobs::get(connection, &short).await, Err(ObjectError::TooLarge { .. })));
    let store = bench.jetstream.get_object_store(connection.names.blobs_store()).await.unwrap();
    store.add_link("link", &store.get("good").await.unwrap().info).await.unwrap();
    let link = BlobRef { name: "link".to_owned(), ..good };
    assert!(matches!(blobs::get(connection, &link).await, Err(ObjectError::Link(_))));
}

#[tokio::test]
async fn nothing_stands_where_a_blob_was() {
    let bench = Bench::new().await;
    let blob = put_many(&bench, "again", Life::UntilDeleted).await;
    put_many(&bench, "again", Life::UntilDeleted).await;
    assert_eq!(messages(&bench).await, 4, "three chunks and a description: those of the first are gone");
    blobs::get(&bench.connection, &blob).await.unwrap();
    assert!(blobs::delete(&bench.connection, "again").await.unwrap());
    assert_eq!(messages(&bench).await, 0);
}

#[tokio::test]
async fn a_blob_goes_by_itself_when_its_time_is_over() {
    let bench = Bench::new().await;
    put_many(&bench, "short", Life::For(Duration::from_secs(1))).await;
    assert!(blobs::first(&bench.connection, 1).await.unwrap().unwrap().expires);
    let long = put_many(&bench, "for ever", Life::For(Duration::MAX)).await;
    within("the end of the first blob's chunks and description", async {
        while messages(&bench).await > 4 {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    blobs::get(&bench.connection, &long).await.unwrap();
}

#[tokio::test]
async fn a_blob_that_finds_no_room_leaves_nothing() {
    let bench = Bench::new().await;
    bench.edit_stream(bench.connection.names.blobs_stream(), |config| config.max_bytes = 2_000_000).await;
    let bytes = Bytes::from(vec![0; 10_000_000]);
    let refused = blobs::put(&bench.connection, "large", bytes, Life::UntilDeleted).await;
    assert!(matches!(refused, Err(ObjectError::Full { .. })), "{refused:?}");
    assert_eq!(messages(&bench).await, 0);
}

#[tokio::test]
async fn chunks_that_do_not_fit_the_description_are_no_blob() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let blob = put_many(&bench, "odd", Life::UntilDeleted).await;
    let chunks = stream(&bench).await.get_raw_message(2).await.unwrap().subject;
    let publish = bench.jetstream.publish(chunks.clone(), "more".into()).await.unwrap();
    publish.await.unwrap();
    let read = blobs::get(connection, &blob).await;
    assert!(matches!(read, Err(ObjectError::Corrupt { .. })), "{read:?}");
    for sequence in [4, 5] {
        stream(&bench).await.delete_message(sequence).await.unwrap();
    }
    let read = blobs::get(connection, &blob).await;
    assert!(matches!(read, Err(ObjectError::Incomplete { found: 2, wanted: 3, .. })), "{read:?}");
}

#[tokio::test]
async fn a_link_to_itself_has_its_own_error() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let digest = Digest::of(b"whatever");
    let link = r#"{"name":"loop","bucket":"wasmhost-blobs","options":{"link":{"bucket":"wasmhost-blobs","name":"loop"}}}"#;
    let subject = "$O.wasmhost-blobs.M.bG9vcA==";
    bench.jetstream.publish(subject, link.into()).await.unwrap().await.unwrap();
    let read = blobs::get(connection, &BlobRef { name: "loop".to_owned(), digest, bytes: 1 }).await;
    assert!(matches!(read, Err(ObjectError::Link(_))), "{read:?}");
}

#[tokio::test]
async fn other_clients_read_what_is_stored_and_store_what_is_read() {
    let bench = Bench::new().await;
    let blob = put_many(&bench, "ours", Life::UntilDeleted).await;
    let mut whole = Vec::new();
    let store = store(&bench).await;
    store.get("ours").await.unwrap().read_to_end(&mut whole).await.unwrap();
    assert_eq!(Digest::of(&whole), blob.digest);
    store.put("theirs", &mut whole.as_slice()).await.unwrap();
    let theirs = BlobRef { name: "theirs".to_owned(), ..blob };
    assert_eq!(blobs::get(&bench.connection, &theirs).await.unwrap(), whole);
}

#[tokio::test]
async fn no_look_makes_a_consumer() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let made = "$JS.EVENT.ADVISORY.CONSUMER.CREATED.>";
    let mut made = bench.nats.subscribe(made).await.unwrap();
    bench.round_trip().await;
    let blob = put_many(&bench, "read", Life::UntilDeleted).await;
    blobs::get(connection, &blob).await.unwrap();
    assert_eq!(blobs::first(connection, 1).await.unwrap().unwrap().name.as_deref(), Some("read"));
    blobs::delete(connection, "read").await.unwrap();
    let ours = pull::Config { name: Some("ours".to_owned()), ..Default::default() };
    stream(&bench).await.create_consumer(ours).await.unwrap();
    let first = next_of(&mut made).await.subject;
    assert!(first.ends_with(".ours"), "the test's own is the first: {first}");
}

#[tokio::test]
async fn a_walk_comes_by_each_blob_once() {
    const BLOBS: usize = 500;
    let bench = Bench::new().await;
    for at in 0..BLOBS {
        let life = if at % 2 == 0 { Life::UntilDeleted } else { Life::For(Duration::from_secs(600)) };
        blobs::put(&bench.connection, &at.to_string(), Bytes::from_static(b"blob"), life).await.unwrap();
    }
    let mut next = 1;
    let mut seen = 0;
    while let Some(found) = blobs::first(&bench.connection, next).await.unwrap() {
        assert_eq!((found.name, found.expires), (Some(seen.to_string()), seen % 2 == 1));
        next = found.place + 1;
        seen += 1;
    }
    assert_eq!(seen, BLOBS);
}

#[tokio::test]
async fn a_blob_is_read_over_the_restart_of_a_server() {
    let mut bench = Bench::new().await;
    let blob = put_many(&bench, "lasting", Life::UntilDeleted).await;
    bench.server.kill().unwrap();
    bench.server.restart().unwrap();
    let read = within("a read over a connection that is back", async {
        loop {
            // The first connection has to be back for what only it can ask.
            match blobs::get(&bench.connection, &blob).await {
                Err(ObjectError::Failed { .. }) => {}
                read => return read,
            }
        }
    });
    assert_eq!(read.await.unwrap().len(), 2_000_000);
}
