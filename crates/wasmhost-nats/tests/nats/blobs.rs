//! Blobs come back whole or not at all.

use bytes::Bytes;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_nats::{digest_of, random_token};
use wasmhost_protocol::{BlobRef, bounds};

use crate::bench::{Bench, key};

#[tokio::test]
async fn a_blob_reads_back_until_it_is_deleted() {
    let bench = Bench::new().await;
    let name = bench.connection.names.blob_name(&key("a.b.1"), 1, &random_token().to_string());
    let bytes = Bytes::from(vec![7; 3_000_000]);
    let blob = blobs::put(&bench.connection, &name, bytes.clone()).await.unwrap();
    assert_eq!(blob, BlobRef { name: name.clone(), digest: digest_of(&bytes), bytes: 3_000_000 });
    assert_eq!(blobs::get(&bench.connection, &blob).await.unwrap(), bytes);
    assert!(blobs::delete(&bench.connection, &name).await.unwrap());
    assert!(!blobs::delete(&bench.connection, &name).await.unwrap());
    assert!(matches!(blobs::get(&bench.connection, &blob).await, Err(ObjectError::Missing(_))));
}

#[tokio::test]
async fn a_blob_of_the_largest_size_reads_back() {
    let bench = Bench::new().await;
    let bytes = Bytes::from(vec![7; usize::try_from(bounds::BLOB_BYTES.most).unwrap()]);
    let blob = blobs::put(&bench.connection, "largest", bytes.clone()).await.unwrap();
    assert!(blobs::get(&bench.connection, &blob).await.unwrap() == bytes);
}

#[tokio::test]
async fn an_empty_blob_reads_back() {
    let bench = Bench::new().await;
    let blob = blobs::put(&bench.connection, "empty", Bytes::new()).await.unwrap();
    assert!(blobs::get(&bench.connection, &blob).await.unwrap().is_empty());
}

#[tokio::test]
async fn wrong_bytes_links_and_sizes_are_refused() {
    let bench = Bench::new().await;
    let connection = &bench.connection;
    let good = blobs::put(connection, "good", Bytes::from_static(b"good")).await.unwrap();
    let wrong = BlobRef { digest: digest_of(b"bad"), ..good.clone() };
    assert!(matches!(blobs::get(connection, &wrong).await, Err(ObjectError::Corrupt { .. })));
    let short = BlobRef { bytes: 3, ..good.clone() };
    assert!(matches!(blobs::get(connection, &short).await, Err(ObjectError::TooLarge { .. })));
    let store = connection.jetstream.get_object_store(connection.names.blobs_store()).await.unwrap();
    store.add_link("link", &store.get("good").await.unwrap().info).await.unwrap();
    let link = BlobRef { name: "link".to_owned(), ..good };
    assert!(matches!(blobs::get(connection, &link).await, Err(ObjectError::Link(_))));
}
