//! Following a job: states, result, lists.

use std::time::Duration;

use async_nats::HeaderMap;
use futures::{StreamExt, TryStreamExt};
use wasmhost_client::protocol::ids::{JobKey, TaskName};
use wasmhost_client::protocol::machine::Writer;
use wasmhost_client::protocol::names::header;
use wasmhost_client::protocol::record::{End, ErrorKind, JobError, Payload, StateLabel};
use wasmhost_client::{ForgetError, JobFilter, JobHandle, ResultError, StatusError};
use wasmhost_nats::blobs::{self, Life};
use wasmhost_testing::records;

use crate::{Bench, soon, words};

#[tokio::test]
async fn a_watcher_sees_each_state_in_order_and_then_the_end() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let mut states = job.watch().await.unwrap();
    let mut seen = vec![states.next().await.unwrap()];
    let token = bench.claim(&job).await;
    bench.progress(&job, token, "HALF").await;
    bench.progress(&job, token, "MOST").await;
    bench.succeed(&job, token, "7", None).await;
    let mut revision = states.revision();
    while let Some(record) = soon(states.next()).await {
        assert!(states.revision() > revision);
        revision = states.revision();
        seen.push(record);
    }
    assert_eq!(words(&seen), ["PENDING", "STARTED", "HALF", "MOST", "SUCCESS"]);
}

#[tokio::test]
async fn a_watcher_that_comes_late_sees_the_end_alone() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    bench.succeed(&job, token, "7", None).await;
    let seen: Vec<_> = soon(job.watch().await.unwrap().into_stream().collect()).await;
    assert_eq!(words(&seen), ["SUCCESS"]);
}

#[tokio::test]
async fn a_watcher_finds_the_end_again_after_the_server_restarts() {
    let mut bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let mut states = job.watch().await.unwrap();
    states.next().await.unwrap();
    bench.server.server.restart().unwrap();
    bench.succeed(&job, token, "7", None).await;
    assert_eq!(soon(states.next()).await.unwrap().label(), StateLabel::Success);
}

#[tokio::test]
async fn an_event_that_nobody_recorded_ends_no_watch() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let mut states = job.watch().await.unwrap();
    states.next().await.unwrap();
    forge_the_end(&bench, &job).await;
    bench.progress(&job, token, "HALF").await;
    assert_eq!(soon(states.next()).await.unwrap().label().as_str(), "HALF");
}

/// Publishes an event of a terminal record with the headers that the server would give it.
async fn forge_the_end(bench: &Bench, job: &JobHandle) {
    let record = job.record().await.unwrap();
    let end = End::Failure(JobError::new(ErrorKind::Lost, "forged"));
    let forged = records::next(Some(&record), records::finish(end), Writer::Reconciler);
    let mut headers = HeaderMap::new();
    headers.insert(header::SEQUENCE, "1000");
    headers.insert(header::LAST_SEQUENCE, "1");
    let connection = bench.client.connection();
    let subject = connection.names.event_subject(job.key());
    bench.server.nats.publish_with_headers(subject, headers, forged.to_bytes().into()).await.unwrap();
    bench.server.round_trip().await;
}

#[tokio::test]
async fn a_result_is_awaited_and_typed() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let host = async {
        let token = bench.claim(&job).await;
        bench.succeed(&job, token, r#"{"n":7}"#, None).await;
    };
    let (result, ()) = soon(async { tokio::join!(job.result::<serde_json::Value>(), host) }).await;
    assert_eq!(result.unwrap()["n"], 7);
    assert!(matches!(job.result::<u32>().await, Err(ResultError::Decode { .. })));
    assert!(job.ready().await.unwrap() && job.successful().await.unwrap() && !job.failed().await.unwrap());
}

#[tokio::test]
async fn a_large_result_is_fetched() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let connection = bench.client.connection();
    let name = connection.names.blob_name(job.key(), 1, &token.to_string());
    let text = format!("\"{}\"", "x".repeat(100_000));
    let blob = blobs::put(connection, &name, text.clone().into(), Life::UntilDeleted).await.unwrap();
    let end = End::Success(Payload::Blob(blob.clone()));
    bench.write(&job, Writer::Owner(token), records::finish(end), None).await;
    assert_eq!(job.raw_result().await.unwrap().as_str(), text);
    let record = job.record().await.unwrap();
    assert_eq!(job.raw_result_of(record).await.unwrap().as_str(), text);
    job.forget().await.unwrap();
    assert!(blobs::get(connection, &blob).await.is_err(), "it is gone with the job");
}

#[tokio::test]
async fn a_failure_and_a_revoke_are_errors_with_everything_known() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let end = End::Failure(JobError::new(ErrorKind::Failed, "no such image"));
    bench.write(&job, Writer::Owner(token), records::finish(end), None).await;
    let failed = job.result::<u32>().await.unwrap_err();
    assert_eq!(failed.to_string(), "job demo.run.a failed: Failed: no such image");
    assert_eq!(job.error().await.unwrap().unwrap().kind, ErrorKind::Failed);
    let job = bench.submit("b").await;
    job.revoke("user left").await.unwrap();
    assert_eq!(job.result::<u32>().await.unwrap_err().to_string(), "job demo.run.b was revoked: user left");
}

#[tokio::test]
async fn a_result_that_does_not_come_times_out() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let error = job.result_timeout::<u32>(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, ResultError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_job_is_not_found() {
    let bench = Bench::start().await;
    let job = bench.client.job(&JobKey::parse("demo.run.a").unwrap());
    assert!(matches!(job.state().await, Err(StatusError::NotFound { .. })));
    assert!(matches!(job.result::<u32>().await, Err(ResultError::NotFound { .. })));
    assert!(matches!(job.watch().await, Err(StatusError::NotFound { .. })));
}

#[tokio::test]
async fn a_job_is_forgotten_only_after_its_end() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    assert!(matches!(job.forget().await, Err(ForgetError::NotEnded { .. })));
    job.revoke("stop").await.unwrap();
    job.forget().await.unwrap();
    assert!(matches!(job.record().await, Err(StatusError::NotFound { .. })));
}

#[tokio::test]
async fn jobs_are_listed_by_task() {
    let bench = Bench::start().await;
    bench.submit("a").await;
    bench.submit("b").await;
    bench.client.task("other.run").unchecked().submit_json("").await.unwrap();
    let list = async |filter| {
        let records = bench.client.list(&filter).await.unwrap();
        records.map_ok(|record| record.id.to_string()).try_collect::<Vec<_>>().await.unwrap()
    };
    assert_eq!(list(JobFilter::Task(TaskName::parse("demo.run").unwrap())).await, ["a", "b"]);
    assert_eq!(list(JobFilter::All).await.len(), 3);
}
