//! Submitting: what is written, in which order, and what a second submission of the same id meets.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;
use wasmhost_client::protocol::digest::Digest;
use wasmhost_client::protocol::headers::{HeaderScope, JobOptions};
use wasmhost_client::protocol::ids::{JobKey, QueueName};
use wasmhost_client::protocol::machine::{JobSpec, Writer};
use wasmhost_client::protocol::names::header;
use wasmhost_client::protocol::record::{End, ErrorKind, JobError, StateLabel, StoredEntry};
use wasmhost_client::{JobHandle, Submission, SubmitError};
use wasmhost_nats::{Heard, SET_UP_WITHIN, Written, jobs, now, subscribe};
use wasmhost_testing::records;

use crate::{Bench, is_pending, soon, submission};

#[tokio::test]
async fn pending_is_recorded_and_the_message_names_its_revision() {
    let bench = Bench::start().await;
    let task = bench.client.task("demo.run").id("a").timeout(Duration::from_secs(30));
    let job = task.submit(&json!({ "name": "Ada" })).await.unwrap();
    let stored = bench.records.read(job.key()).await.unwrap();
    let StoredEntry::Record { record, revision } = stored else { panic!("{stored:?}") };
    assert!(is_pending(&record.label()) && record.attempt == 0);
    let message = bench.message(&job).await.unwrap();
    let options = JobOptions::parse(message.pairs(), HeaderScope::Job).unwrap();
    assert_eq!(options.revision, Some(revision));
    assert_eq!(options.args_digest, record.args_digest);
    assert_eq!(options.timeout, Some(Duration::from_secs(30)));
    assert_eq!(record.args_digest, Some(Digest::of(br#"{"name":"Ada"}"#)));
    assert_eq!(&message.payload[..], br#"{"name":"Ada"}"#);
    assert!(message.header(header::MSG_ID).unwrap().starts_with(job.key().as_str()));
}

#[tokio::test]
async fn the_same_job_twice_is_one_message() {
    let bench = Bench::start().await;
    let first = bench.submit("a").await;
    let again = bench.submit("a").await;
    assert_eq!(first.key(), again.key());
    assert_eq!(bench.queued().await, 1);
}

#[tokio::test]
async fn the_same_job_running_or_ended_is_that_job() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let submit = || bench.client.submit(with_id_of(&job));
    assert_eq!(submit().await.unwrap().state, StateLabel::Started);
    bench.succeed(&job, token, "7", None).await;
    bench.acknowledge(&job).await;
    assert_eq!(submit().await.unwrap().state, StateLabel::Success);
    assert_eq!(bench.queued().await, 0);
}

#[tokio::test]
async fn the_same_id_with_other_arguments_is_a_conflict() {
    let bench = Bench::start().await;
    bench.submit("a").await;
    let error = bench.client.task("demo.run").id("a").submit(&json!([1])).await.unwrap_err();
    assert!(matches!(error, SubmitError::Conflict { .. }), "{error}");
    assert_eq!(bench.queued().await, 1);
}

#[tokio::test]
async fn the_same_json_in_other_words_is_the_same_job() {
    let bench = Bench::start().await;
    let submit = |text: &'static str| bench.client.task("demo.run").id("a").submit_json(text);
    let job = submit(r#"{"to":{"b":[1,2.50],"a":"\u00e9"},"at":null}"#).await.unwrap();
    submit(r#" { "at": null, "to": { "a": "é", "b": [ 1, 2.50 ] } } "#).await.unwrap();
    assert_eq!(bench.queued().await, 1);
    let message = bench.message(&job).await.unwrap();
    assert_eq!(
        &message.payload[..],
        br#"{"to":{"b":[1,2.50],"a":"\u00e9"},"at":null}"#,
        "it is sent as it came"
    );
    for other in [r#"{"at":null,"to":{"a":"é","b":[2.50,1]}}"#, r#"{"at":null,"to":{"a":"é","b":[1,2.5]}}"#]
    {
        let error = submit(other).await.unwrap_err();
        assert!(matches!(error, SubmitError::Conflict { .. }), "{other}: {error}");
    }
}

#[tokio::test]
async fn a_record_of_an_earlier_client_names_the_text_of_its_arguments() {
    const TEXT: &str = r#"{ "b": 1, "a": 2 }"#;
    let bench = Bench::start().await;
    let job = recorded_with(&bench, "a", Digest::of(TEXT.as_bytes())).await;
    bench.client.task("demo.run").id("a").submit_json(TEXT).await.unwrap();
    assert!(bench.message(&job).await.is_some());
    let other = bench.client.task("demo.run").id("a").submit_json(r#"{ "b": 1, "a": 3 }"#).await;
    assert!(matches!(other, Err(SubmitError::Conflict { .. })), "{other:?}");
}

#[tokio::test]
async fn what_cannot_be_a_job_is_refused_before_anything_is_written() {
    let bench = Bench::start().await;
    let task = |name: &str| bench.client.task(name);
    let refused = [
        task("demo").submit_json("").await,
        task("demo.run").id("a.b").submit_json("").await,
        task("demo.run").queue("*").submit_json("").await,
        task("demo.run").max_attempts(0).submit_json("").await,
        task("demo.run").max_attempts(u32::MAX).submit_json("").await,
        task("demo.run").timeout(Duration::MAX).submit_json("").await,
        task("demo.run").timeout(Duration::ZERO).submit_json("").await,
        task("demo.run").result_ttl(Duration::MAX).submit_json("").await,
        task("demo.run").expires_in(Duration::MAX).submit_json("").await,
        task("demo.run").submit_json("{").await,
        task("demo.run").submit_json(vec![b' '; 600_000]).await,
    ];
    for result in refused {
        let error = result.unwrap_err();
        let expected = matches!(
            error,
            SubmitError::Refused(_)
                | SubmitError::Option(_)
                | SubmitError::NotJson { .. }
                | SubmitError::TooLarge { .. }
        );
        assert!(expected, "{error}");
    }
    assert_eq!(bench.queued().await, 0);
}

/// The job of a client that died when it had written the record and not published the message.
async fn record_only(bench: &Bench, id: &str) -> JobHandle {
    recorded_with(bench, id, Digest::of(b"")).await
}

/// The same, of a job with these arguments.
async fn recorded_with(bench: &Bench, id: &str, args_digest: Digest) -> JobHandle {
    let job = bench.client.job(&JobKey::parse(&format!("demo.run.{id}")).unwrap());
    let template = bench.submit("template").await.record().await.unwrap();
    let job_spec =
        JobSpec { key: job.key().clone(), args_digest: Some(args_digest), ..submission(&template) };
    let record = records::submitted(job_spec);
    let written = bench.records.write(job.key(), &record, 0, None).await.unwrap();
    assert!(matches!(written, Written::Stored(_)));
    job
}

#[tokio::test]
async fn a_job_recorded_but_not_published_is_published_by_who_submits_it_again() {
    let bench = Bench::start().await;
    let job = record_only(&bench, "a").await;
    let before = bench.records.read(job.key()).await.unwrap().expected();
    let accepted = bench.client.submit(with_id_of(&job)).await.unwrap();
    assert!(accepted.revision > before, "it is touched");
    let message = bench.message(&job).await.unwrap();
    let options = JobOptions::parse(message.pairs(), HeaderScope::Job).unwrap();
    assert_eq!(options.revision, Some(accepted.revision));
}

#[tokio::test]
async fn a_job_that_was_never_published_names_the_time_when_its_id_is_free() {
    let bench = Bench::start().await;
    let job = record_only(&bench, "a").await;
    let end = End::Failure(JobError::new(ErrorKind::NotPublished, "its message never came"));
    bench.write(&job, Writer::Reconciler, records::finish(end), Some(Duration::from_secs(3600))).await;
    let error = bench.client.task("demo.run").id("a").submit_json("").await.unwrap_err();
    let SubmitError::NotPublished { free_at, .. } = error else { panic!("{error}") };
    assert!(free_at > now());
}

#[tokio::test]
async fn a_forgotten_job_runs_again() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    bench.succeed(&job, token, "7", None).await;
    bench.acknowledge(&job).await;
    job.forget().await.unwrap();
    let marker = bench.records.read(job.key()).await.unwrap().expected();
    let again = bench.submit("a").await;
    assert!(bench.message(&again).await.is_some());
    assert_eq!(again.record().await.unwrap().after, Some(marker));
}

#[tokio::test]
async fn an_expired_job_runs_again() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let mut events = subscribe(bench.client.connection(), job.key()).await.unwrap();
    bench.succeed(&job, token, "7", Some(Duration::from_secs(1))).await;
    bench.acknowledge(&job).await;
    let marker = soon(async {
        loop {
            if let Heard::Event(event) = events.next().await.unwrap()
                && let StoredEntry::Deleted(marker) = event.stored
            {
                return marker;
            }
        }
    });
    let marker = marker.await;
    assert!(marker.expired);
    let again = bench.submit("a").await;
    assert!(bench.message(&again).await.is_some());
    assert_eq!(again.record().await.unwrap().after, Some(marker.revision));
}

#[tokio::test]
async fn while_the_message_of_an_earlier_run_stands_the_id_is_occupied_and_nothing_is_left_behind() {
    let bench = Bench::start_with(|config| config.publish_timeout = Duration::from_millis(400)).await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    bench.succeed(&job, token, "7", None).await;
    job.forget().await.unwrap();
    let error = bench.client.task("demo.run").id("a").submit_json("").await.unwrap_err();
    assert!(matches!(error, SubmitError::Occupied { .. }), "{error}");
    assert!(
        matches!(bench.records.read(job.key()).await.unwrap(), StoredEntry::Deleted(_)),
        "the record is withdrawn"
    );
}

#[tokio::test]
async fn a_message_that_names_a_revision_of_an_earlier_run_is_not_this_ones() {
    let bench = Bench::start_with(|config| config.publish_timeout = Duration::from_millis(400)).await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    bench.succeed(&job, token, "7", None).await;
    bench.acknowledge(&job).await;
    job.forget().await.unwrap();
    let queue = QueueName::default_queue();
    let options = JobOptions { revision: Some(2), ..JobOptions::default() };
    jobs::publish_job(bench.client.connection(), &queue, job.key(), &options, "".into()).await.unwrap();
    let error = bench.client.task("demo.run").id("a").submit_json("").await.unwrap_err();
    assert!(matches!(error, SubmitError::Occupied { .. }), "{error}");
}

#[tokio::test]
async fn a_full_queue_refuses_and_leaves_no_record() {
    let bench = Bench::start().await;
    let connection = bench.client.connection();
    bench.server.edit_stream(connection.names.jobs_stream(), |jobs| jobs.max_messages = 1).await;
    bench.submit("a").await;
    let error = bench.client.task("demo.run").id("b").submit_json("").await.unwrap_err();
    assert!(matches!(error, SubmitError::QueueFull { .. }), "{error}");
    let key = JobKey::parse("demo.run.b").unwrap();
    assert!(matches!(bench.records.read(&key).await.unwrap(), StoredEntry::Deleted(_)));
}

#[tokio::test]
async fn a_try_at_a_server_without_streams_fails_at_once() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let again = bench.client.try_submit(with_id_of(&job)).await.unwrap();
    assert!(is_pending(&again.state) && bench.queued().await == 1);
    let connection = bench.client.connection();
    bench.server.jetstream.delete_stream(connection.names.states_stream()).await.unwrap();
    let started = Instant::now();
    let error = bench.client.try_submit(with_id_of(&job)).await.unwrap_err();
    assert!(matches!(&error, SubmitError::NotSetUp { key, .. } if key == job.key()), "{error}");
    assert!(started.elapsed() < SET_UP_WITHIN, "{:?}", started.elapsed());
    assert!(matches!(bench.client.submit(with_id_of(&job)).await, Err(SubmitError::NotSetUp { .. })));
    assert!(started.elapsed() > SET_UP_WITHIN, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_thousand_jobs_are_submitted_in_order() {
    let bench = Bench::start().await;
    let submissions = (0..1000).map(|n| Submission::new("demo.run", &json!([n])).unwrap());
    let jobs = soon(bench.client.submit_many(submissions)).await;
    assert_eq!(bench.queued().await, 1000);
    for (n, job) in jobs.into_iter().enumerate().step_by(97) {
        let message = jobs::message_of(bench.client.connection(), job.unwrap().key()).await.unwrap().unwrap();
        assert_eq!(message.payload, format!("[{n}]").into_bytes());
    }
}

/// The same job again, without arguments.
fn with_id_of(job: &JobHandle) -> Submission {
    let mut submission = Submission::for_task(job.key().task().clone());
    submission.id = Some(job.key().id().clone());
    submission
}
