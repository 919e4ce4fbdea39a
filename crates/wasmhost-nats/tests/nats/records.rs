//! Records: compare-and-set, writes whose outcome is unknown, and time to live.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use wasmhost_nats::{JobFilter, OwnedWrite, ReadError, Records, WriteError, Written, now, subscribe};
use wasmhost_protocol::bounds;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::record::{ErrorKind, JobError, Record, Revoke, StoredEntry, Token};
use wasmhost_testing::records::{claimed, forged, key, pending, revoke_requested, succeeded};
use wasmhost_testing::{Bench, Options, user, within};

use crate::events::next_event;

async fn set(records: &Records, record: &Record, expected: u64) -> u64 {
    records.compare_and_set(&record.key(), record, expected, None).await.expect("it lands")
}

/// A claimed job, its token and revision.
async fn running(records: &Records, key: &JobKey) -> (Record, Token, u64) {
    let (record, token) = claimed(key);
    let revision = set(records, &record, 0).await;
    (record, token, revision)
}

#[tokio::test]
async fn a_write_over_another_revision_is_a_conflict() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    assert_eq!(records.read(&key).await.unwrap(), StoredEntry::Absent);
    let first = pending(&key);
    let revision = set(&records, &first, 0).await;
    for wrong in [0, revision + 1] {
        let error = records.compare_and_set(&key, &pending(&key), wrong, None).await.unwrap_err();
        assert!(matches!(error, WriteError::Conflict(_)), "{error}");
    }
    assert_eq!(records.read(&key).await.unwrap(), StoredEntry::Record { record: Box::new(first), revision });
}

#[tokio::test]
async fn an_own_write_whose_answer_was_lost_has_landed() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    let end = succeeded(&record, token);
    let stored_at = set(&records, &end, first).await;
    let again = records.write_owned(&key, &end, first, None, token).await.unwrap();
    assert_eq!(again, OwnedWrite::Stored(stored_at));
    assert_eq!(records.write(&key, &end, first, None).await.unwrap(), Written::Stored(stored_at));
}

#[tokio::test]
async fn a_revoke_under_the_owners_claim_moves_its_write() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    let revoked = revoke_requested(&record);
    let revision = set(&records, &revoked, first).await;
    let moved = records.write_owned(&key, &succeeded(&record, token), first, None, token).await.unwrap();
    assert_eq!(moved, OwnedWrite::Superseded { record: Box::new(revoked), revision });
}

#[tokio::test]
async fn another_claim_fences_the_owner() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    set(&records, &claimed(&key).0, first).await;
    let write = records.write_owned(&key, &succeeded(&record, token), first, None, token).await.unwrap();
    assert_eq!(write, OwnedWrite::Fenced);
}

#[tokio::test]
async fn a_terminal_record_is_never_written_over_even_under_the_own_token() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    let end = succeeded(&record, token);
    let revision = set(&records, &end, first).await;
    let other = succeeded(&record, token);
    assert_eq!(records.write_owned(&key, &other, first, None, token).await.unwrap(), OwnedWrite::Fenced);
    let stored = StoredEntry::Record { record: Box::new(end), revision };
    assert_eq!(records.write(&key, &other, first, None).await.unwrap(), Written::Superseded(stored));
}

#[tokio::test]
async fn a_delete_marker_fences_the_owner_and_takes_a_new_record() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    assert!(!records.delete(&key, first + 1).await.unwrap());
    assert!(records.delete(&key, first).await.unwrap());
    let write = records.write_owned(&key, &succeeded(&record, token), first, None, token).await.unwrap();
    assert_eq!(write, OwnedWrite::Fenced);
    let Written::Superseded(StoredEntry::Deleted(marker)) =
        records.write(&key, &pending(&key), 0, None).await.unwrap()
    else {
        panic!("a marker stands")
    };
    assert!(!marker.expired);
    assert!(set(&records, &pending(&key), marker.revision).await > marker.revision);
}

#[tokio::test]
async fn a_terminal_record_expires_and_leaves_a_marker_that_says_so() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    let mut events = subscribe(&bench.connection, &key).await.unwrap();
    let ttl = Some(Duration::from_millis(500));
    let end = succeeded(&record, token);
    let stored_at = records.write_owned(&key, &end, first, ttl, token).await.unwrap();
    assert_eq!(stored_at, OwnedWrite::Stored(first + 1));
    assert!(matches!(next_event(&mut events).await.stored, StoredEntry::Record { .. }));
    let StoredEntry::Deleted(heard) = next_event(&mut events).await.stored else { panic!("it expires") };
    let StoredEntry::Deleted(marker) = records.read(&key).await.unwrap() else { panic!("a marker stands") };
    assert!(marker.expired && heard.expired);
    assert_eq!(marker.revision, heard.revision);
    set(&records, &pending(&key), marker.revision).await;
}

#[tokio::test]
async fn a_running_record_has_no_time_to_live() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    running(&records, &key).await;
    let stream = bench.jetstream.get_stream(bench.connection.names.states_stream()).await.unwrap();
    let message = stream.get_last_raw_message_by_subject(&bench.connection.names.state_subject(&key)).await;
    assert!(message.unwrap().headers.get(wasmhost_protocol::names::header::TTL).is_none());
}

#[tokio::test]
async fn the_record_of_another_job_is_unreadable() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let mine = key("a.b.1");
    let other = key("a.b.2");
    let subject = bench.connection.names.state_subject(&mine);
    let value = pending(&other).to_bytes();
    let ack = bench.jetstream.publish(subject, value.into()).await.unwrap().await.unwrap();
    let stored = records.read(&mine).await.unwrap();
    assert!(
        matches!(&stored, StoredEntry::Unreadable { revision, why } if *revision == ack.sequence && why.contains("a.b.2")),
        "{stored:?}"
    );
}

#[tokio::test]
async fn a_record_over_the_buckets_limit_is_too_large() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    for size in [600 << 10, 2 << 20] {
        let record = forged(&pending(&key), serde_json::json!({ "denied": ["x".repeat(size)] }));
        let error = records.write(&key, &record, 0, None).await.unwrap_err();
        assert!(matches!(error, WriteError::TooLarge(_)), "{size}: {error}");
    }
}

/// Texts of the kind that takes the most room in JSON.
#[tokio::test]
async fn a_record_with_everything_at_its_bound_fits_the_bucket() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let worst = |bytes: usize| "\u{1}".repeat(bytes);
    let json = |bytes: u64| Json::parse(format!("\"{}\"", "x".repeat(bytes as usize - 2))).unwrap();
    let (record, ..) = running(&records, &key).await;
    let revoke = Revoke { reason: worst(Limits::REASON_BYTES), stop_at: now() };
    let common = serde_json::json!({
        "meta": json(bounds::META_BYTES.max), "revoke": revoke, "finished_at": now(),
    });
    let record_of = |state: &str, field: &str, value: serde_json::Value| {
        let mut fields = common.clone();
        fields["state"] = state.into();
        fields[field] = value;
        forged(&record, fields)
    };
    let error = JobError {
        details: Some(json(8 << 10)),
        backtrace: Some(worst(Limits::ERROR_TEXT_BYTES)),
        stderr: Some(worst(Limits::ERROR_TEXT_BYTES)),
        ..JobError::new(ErrorKind::Failed, worst(Limits::ERROR_TEXT_BYTES))
    };
    let result = json(Limits::INLINE_RESULT_BYTES as u64);
    let failed = record_of("FAILURE", "error", serde_json::json!(error));
    let succeeded = record_of("SUCCESS", "result", serde_json::json!(result));
    for record in [failed, succeeded] {
        let written = records.compare_and_set(&key, &record, 1, None).await;
        assert!(written.is_ok() || matches!(written, Err(WriteError::Conflict(_))), "{written:?}");
    }
}

#[tokio::test]
async fn a_write_where_there_is_no_bucket_has_its_own_error() {
    let bench = Bench::bare(&Options::default()).await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let written = records.write(&key, &pending(&key), 0, None).await;
    assert!(matches!(written, Err(WriteError::NotSetUp { .. })), "{written:?}");
    let deleted = records.delete(&key, 7).await;
    assert!(matches!(deleted, Err(WriteError::NotSetUp { .. })), "{deleted:?}");
}

#[tokio::test]
async fn a_list_has_each_key_once_and_ends() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let list = async |filter: JobFilter| {
        let rows: Vec<_> = records.list(&filter).await.unwrap().try_collect().await.unwrap();
        rows.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>()
    };
    assert!(list(JobFilter::All).await.is_empty());
    for text in ["a.b.1", "a.c.1", "d.b.1"] {
        set(&records, &pending(&key(text)), 0).await;
    }
    let (record, _, revision) = running(&records, &key("a.b.2")).await;
    set(&records, &revoke_requested(&record), revision).await;
    assert_eq!(list(JobFilter::All).await, ["a.b.1", "a.c.1", "d.b.1", "a.b.2"]);
    assert_eq!(list(JobFilter::Module(key("a.b.1").task().module())).await, ["a.b.1", "a.c.1", "a.b.2"]);
    assert_eq!(list(JobFilter::Task(key("a.b.1").task().clone())).await, ["a.b.1", "a.b.2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_outlives_the_servers_crash() {
    let mut bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let (record, token, first) = running(&records, &key).await;
    let end = succeeded(&record, token);
    bench.server.kill().unwrap();
    let write = records.write_owned(&key, &end, first, None, token);
    let restart = async { tokio::task::block_in_place(|| bench.server.restart().unwrap()) };
    let (write, ()) = tokio::join!(write, restart);
    assert_eq!(write.unwrap(), OwnedWrite::Stored(first + 1));
}

#[tokio::test]
async fn a_key_that_is_written_while_it_is_listed_comes_once_and_none_is_missed() {
    let bench = Bench::new().await;
    let records = Records::new(&bench.connection);
    let keys = ["a.b.1", "a.b.2", "c.d.3"].map(key);
    for key in &keys {
        set(&records, &claimed(key).0, 0).await;
    }
    let mut list = records.list(&JobFilter::All).await.unwrap().boxed();
    let mut listed = vec![list.try_next().await.unwrap().unwrap().0];
    // Both move behind the end of what is read: one that was listed, and one that is still to be.
    for key in [&keys[0], &keys[2]] {
        let expected = records.read(key).await.unwrap().expected();
        set(&records, &claimed(key).0, expected).await;
    }
    set(&records, &claimed(&key("a.b.4")).0, 0).await;
    while let Some((key, _)) = list.try_next().await.unwrap() {
        listed.push(key);
    }
    listed.sort();
    assert_eq!(listed, ["a.b.1", "a.b.2", "a.b.4", "c.d.3"].map(key));
    let of_module = records.list(&JobFilter::Module(keys[0].task().module())).await.unwrap();
    assert_eq!(of_module.try_collect::<Vec<_>>().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_read_that_is_not_permitted_is_refused_and_not_tried_for_ever() {
    let extra_config = r#"authorization { users: [
        { user: blind, password: b, permissions: { publish: { deny: ["$JS.API.STREAM.MSG.GET.>"] } } }
    ] }"#;
    let options = Options::default().extra_config(extra_config);
    let bench = Bench::new_as(&options, user("blind", "b")).await;
    let records = Records::new(&bench.connection);
    let key = key("a.b.1");
    let read = records.read_or_refused(&key, Duration::ZERO);
    let read = within("an answer", read).await;
    assert!(matches!(read, Err(ReadError::Denied { .. })), "{read:?}");
}
