//! Delayed jobs: what is written, and what a second submission of the same id meets on the way to the queue.

use std::time::Duration;

use serde_json::json;
use wasmhost_client::protocol::headers::{HeaderScope, JobOptions};
use wasmhost_client::protocol::ids::{JobKey, QueueName};
use wasmhost_client::protocol::machine::JobSpec;
use wasmhost_client::protocol::names::{Names, header};
use wasmhost_client::protocol::record::{JobState, StateLabel, StoredEntry};
use wasmhost_client::protocol::timestamp::Timestamp;
use wasmhost_client::{Accepted, JobHandle, Submission, SubmitError};
use wasmhost_nats::{StoredMessage, Written, now, schedules};
use wasmhost_testing::{Options, records, user};

use crate::{Bench, soon, submission};

const HOUR: Duration = Duration::from_secs(3600);

impl Bench {
    /// Submits `demo.run.a` for this time.
    async fn submit_at(&self, at: Timestamp) -> Accepted {
        self.client.submit(job_at(at)).await.expect("it is accepted")
    }

    async fn schedule(&self, job: &JobHandle) -> Option<StoredMessage> {
        schedules::schedule_of(self.client.connection(), job.key()).await.unwrap()
    }

    /// What the schedule stream holds: schedules, and what they fired.
    async fn scheduled(&self) -> u64 {
        self.server.messages(self.client.connection().names.schedules_stream()).await
    }

    async fn until_queued(&self, job: &JobHandle) -> StoredMessage {
        soon(async {
            loop {
                if let Some(message) = self.message(job).await {
                    return message;
                }
            }
        })
        .await
    }
}

fn job_at(at: Timestamp) -> Submission {
    let mut submission = Submission::new("demo.run", &json!({ "name": "Ada" })).unwrap();
    submission.id = Some(key().id().clone());
    submission.options.at = Some(at);
    submission
}

fn key() -> JobKey {
    JobKey::parse("demo.run.a").unwrap()
}

fn options(message: &StoredMessage) -> JobOptions {
    JobOptions::parse(message.pairs(), HeaderScope::Job).unwrap()
}

async fn not_before(job: &JobHandle) -> Option<Timestamp> {
    match job.record().await.unwrap().state.clone() {
        JobState::Pending { not_before } => not_before,
        state => panic!("{state:?}"),
    }
}

/// The job of a client that died when it had written the record and not scheduled the message.
async fn record_only(bench: &Bench, at: Timestamp) -> JobHandle {
    let mut template = bench.client.task("demo.run").id("template").submit(&json!({ "name": "Ada" })).await;
    let template = template.as_mut().unwrap().record().await.unwrap();
    let job_spec = JobSpec { key: key(), not_before: Some(at), ..submission(&template) };
    let record = records::submitted(job_spec);
    let written = bench.records.write(&key(), &record, 0, None).await.unwrap();
    assert!(matches!(written, Written::Stored(_)));
    bench.client.job(&key())
}

#[tokio::test]
async fn a_delayed_job_is_recorded_with_its_time_and_scheduled() {
    let bench = Bench::start().await;
    let task = bench.client.task("demo.run").id("a").timeout(Duration::from_secs(30)).delay(HOUR);
    let before = now();
    let job = task.submit(&json!({ "name": "Ada" })).await.unwrap();
    let at = not_before(&job).await.unwrap();
    assert!(before.plus(HOUR) <= at && at <= now().plus(HOUR), "{at}");
    assert_eq!(bench.queued().await, 0);
    let schedule = bench.schedule(&job).await.unwrap();
    assert_eq!(schedule.header(header::SCHEDULE).unwrap(), format!("@at {at}"));
    let stored = bench.records.read(job.key()).await.unwrap();
    let said = options(&schedule);
    assert_eq!(said.revision, Some(stored.expected()));
    assert_eq!((said.timeout, said.delay, said.at), (Some(Duration::from_secs(30)), None, None));
    assert_eq!(schedule.payload, r#"{"name":"Ada"}"#);
}

#[tokio::test]
async fn a_job_that_is_due_is_queued_as_one_that_was_submitted_at_once() {
    let bench = Bench::start().await;
    let at = now().plus(Duration::from_millis(300));
    let direct = bench.submit("direct").await;
    let job = bench.submit_at(at).await.job;
    let due = bench.until_queued(&job).await;
    let direct = bench.message(&direct).await.unwrap();
    assert!(due.stored_at >= at, "{} is before {at}", due.stored_at);
    let names = |message: &StoredMessage| options(message).to_pairs().into_iter().map(|(name, _)| name);
    assert!(names(&due).eq(names(&direct)), "{due:?}");
    assert_eq!(
        due.subject,
        bench.client.connection().names.job_subject(&job.record().await.unwrap().queue, &key())
    );
    assert!(bench.schedule(&job).await.is_none());
}

#[tokio::test]
async fn a_time_that_is_past_is_now() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().minus(HOUR)).await.job;
    assert!(bench.message(&job).await.is_some() && bench.scheduled().await == 0);
    assert_eq!(not_before(&job).await, None);
}

#[tokio::test]
async fn the_same_job_twice_is_one_schedule_for_the_first_time() {
    let bench = Bench::start().await;
    let at = now().plus(HOUR);
    let first = bench.submit_at(at).await;
    let schedule = bench.schedule(&first.job).await.unwrap();
    for later in [at, at.plus(HOUR), now()] {
        let again = bench.submit_at(later).await;
        assert!(again.revision > first.revision, "it is touched");
    }
    assert_eq!(bench.schedule(&first.job).await.unwrap().sequence, schedule.sequence);
    assert_eq!((not_before(&first.job).await, bench.queued().await), (Some(at), 0));
}

#[tokio::test]
async fn the_same_job_after_it_was_due_is_no_second_message() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().plus(Duration::from_millis(100))).await.job;
    bench.until_queued(&job).await;
    let at = now().plus(HOUR);
    assert_eq!(bench.submit_at(at).await.state, StateLabel::Pending);
    let token = bench.claim(&job).await;
    assert_eq!(bench.submit_at(at).await.state, StateLabel::Started);
    bench.succeed(&job, token, "7", None).await;
    bench.acknowledge(&job).await;
    assert_eq!(bench.submit_at(at).await.state, StateLabel::Success);
    assert_eq!((bench.queued().await, bench.scheduled().await), (0, 1), "what fired is all that is left");
}

#[tokio::test]
async fn the_same_job_while_it_waits_for_room_in_the_queue_is_no_second_message() {
    let bench = Bench::start().await;
    bench.submit("other").await;
    bench
        .server
        .edit_stream(bench.client.connection().names.jobs_stream(), |jobs| jobs.max_messages = 1)
        .await;
    let job = bench.submit_at(now().plus(Duration::from_millis(100))).await.job;
    soon(async { while bench.schedule(&job).await.is_some() {} }).await;
    assert!(bench.message(&job).await.is_none());
    assert_eq!(bench.submit_at(now()).await.state, StateLabel::Pending);
    assert_eq!((bench.scheduled().await, bench.schedule(&job).await.is_none()), (1, true));
}

#[tokio::test]
async fn the_same_job_of_which_only_the_queue_has_a_message_is_no_second_one() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().plus(Duration::from_millis(100))).await.job;
    let message = bench.until_queued(&job).await;
    let connection = bench.client.connection();
    let stream = bench.server.jetstream.get_stream(connection.names.schedules_stream()).await.unwrap();
    stream.purge().await.unwrap();
    assert_eq!(bench.submit_at(now().plus(HOUR)).await.state, StateLabel::Pending);
    assert_eq!((bench.scheduled().await, bench.queued().await), (0, 1));
    assert_eq!(bench.message(&job).await.unwrap().sequence, message.sequence);
}

#[tokio::test]
async fn a_job_recorded_but_not_scheduled_is_scheduled_by_who_submits_it_again() {
    let bench = Bench::start().await;
    let at = now().plus(HOUR);
    let job = record_only(&bench, at).await;
    let accepted = bench.submit_at(at.plus(HOUR)).await;
    let schedule = bench.schedule(&job).await.unwrap();
    assert_eq!(schedule.header(header::SCHEDULE).unwrap(), format!("@at {at}"));
    assert_eq!(options(&schedule).revision, Some(accepted.revision), "it is touched");
}

#[tokio::test]
async fn a_job_recorded_but_not_scheduled_before_it_was_due_is_queued_at_once() {
    let bench = Bench::start().await;
    let job = record_only(&bench, now().minus(HOUR)).await;
    let accepted = bench.submit_at(now().plus(HOUR)).await;
    assert_eq!(options(&bench.until_queued(&job).await).revision, Some(accepted.revision));
}

#[tokio::test]
async fn what_an_earlier_run_fired_is_not_taken_for_this_ones() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().plus(Duration::from_millis(100))).await.job;
    bench.until_queued(&job).await;
    bench.acknowledge(&job).await;
    // As long after the end of that run as its delete marker is gone.
    let connection = bench.client.connection();
    let states = bench.server.jetstream.get_stream(connection.names.states_stream()).await.unwrap();
    states.purge().filter(connection.names.state_subject(job.key())).await.unwrap();
    let at = now().plus(HOUR);
    record_only(&bench, at).await;
    bench.submit_at(at).await;
    assert!(bench.schedule(&job).await.is_some());
}

#[tokio::test]
async fn a_forgotten_job_is_scheduled_again() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().plus(HOUR)).await.job;
    job.revoke("not yet").await.unwrap();
    job.forget().await.unwrap();
    let marker = bench.records.read(job.key()).await.unwrap().expected();
    let at = now().plus(HOUR);
    bench.submit_at(at).await;
    assert!(bench.schedule(&job).await.is_some());
    assert_eq!((job.record().await.unwrap().after, not_before(&job).await), (Some(marker), Some(at)));
}

#[tokio::test]
async fn while_the_schedule_of_an_earlier_run_stands_the_id_is_occupied_and_nothing_is_left_behind() {
    let bench = Bench::start_with(|config| config.publish_timeout = Duration::from_millis(400)).await;
    let at = now().plus(HOUR);
    let job = bench.submit_at(at).await.job;
    let connection = bench.client.connection();
    let schedule = bench.schedule(&job).await.unwrap();
    job.revoke("not yet").await.unwrap();
    job.forget().await.unwrap();
    // As if the purge had failed.
    let queue = QueueName::default_queue();
    let body = schedule.payload.clone();
    schedules::schedule_job(
        connection,
        &queue,
        job.key(),
        &JobOptions { revision: Some(2), ..options(&schedule) },
        at,
        body,
    )
    .await
    .unwrap();
    let error = bench.client.submit(job_at(at)).await.unwrap_err();
    assert!(matches!(error, SubmitError::Occupied { .. }), "{error}");
    assert!(
        matches!(bench.records.read(job.key()).await.unwrap(), StoredEntry::Deleted(_)),
        "the record is withdrawn"
    );
}

#[tokio::test]
async fn the_same_id_with_other_arguments_is_a_conflict() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().plus(HOUR)).await.job;
    let error = bench.client.task("demo.run").id("a").delay(HOUR).submit(&json!([1])).await.unwrap_err();
    assert!(matches!(error, SubmitError::Conflict { .. }), "{error}");
    assert_eq!(bench.schedule(&job).await.unwrap().payload, r#"{"name":"Ada"}"#);
}

#[tokio::test]
async fn a_time_that_no_schedule_can_have_is_refused_before_anything_is_written() {
    let bench = Bench::start().await;
    let task = || bench.client.task("demo.run").id("a");
    let latest = schedules::latest();
    let too_far = [task().at(latest.plus(Duration::from_millis(1))), task().delay(Duration::MAX)];
    for task in too_far {
        let error = task.submit_json("").await.unwrap_err();
        assert!(matches!(error, SubmitError::TooFar { .. }), "{error}");
    }
    let both = task().at(now()).delay(HOUR).submit_json("").await.unwrap_err();
    assert!(matches!(both, SubmitError::Option(_)), "{both}");
    assert_eq!(bench.records.read(&key()).await.unwrap(), StoredEntry::Absent);
}

#[tokio::test]
async fn a_full_schedule_stream_refuses_and_leaves_no_record() {
    let bench = Bench::start().await;
    let schedules = bench.client.connection().names.schedules_stream();
    let most = (32 << 10).to_string();
    let setting = Names::SCHEDULES_MAX_BYTES.to_owned();
    bench.server.edit_stream(schedules, |config| drop(config.metadata.insert(setting, most))).await;
    let large = bench.client.task("demo.run").delay(HOUR);
    large.submit_json(vec![b' '; 31 << 10]).await.unwrap();
    let error = bench.client.submit(job_at(now().plus(HOUR))).await.unwrap_err();
    assert!(matches!(error, SubmitError::QueueFull { .. }), "{error}");
    assert_eq!(bench.scheduled().await, 1);
    assert!(
        matches!(bench.records.read(&key()).await.unwrap(), StoredEntry::Deleted(_)),
        "the record is withdrawn"
    );
}

#[tokio::test]
async fn a_user_who_may_not_schedule_is_refused_and_leaves_no_record() {
    let denied = r#"{ user: u, password: p, permissions: { publish: { deny: "wasmhost.schedules.>" } } }"#;
    let server = Options::default().extra_config(format!("authorization {{ users: [{denied}] }}"));
    let bench = Bench::start_on(&server, |config| config.connect.credentials = user("u", "p")).await;
    let error = bench.client.submit(job_at(now().plus(HOUR))).await.unwrap_err();
    let SubmitError::Denied { why, .. } = &error else { panic!("{error}") };
    assert!(why.contains("wasmhost.schedules.default.demo.run.a"), "{why}");
    assert!(
        matches!(bench.records.read(&key()).await.unwrap(), StoredEntry::Deleted(_)),
        "the record is withdrawn"
    );
}

#[tokio::test]
async fn a_scheduled_job_is_revoked_with_its_schedule_for_longer_than_its_message_can_come() {
    let bench = Bench::start().await;
    let week = Duration::from_secs(7 * 24 * 3600);
    for at in [now().plus(week), schedules::latest()] {
        let job = bench.submit_at(at).await.job;
        let record = job.revoke("user left").await.unwrap();
        assert_eq!((record.label(), record.attempt), (StateLabel::Revoked, 0));
        assert!(bench.schedule(&job).await.is_none());
        assert_eq!(job.record().await.unwrap().label(), StateLabel::Revoked);
        let ttl = time_to_live(&bench, &job).await;
        assert!(now().plus(ttl) > at.plus(Duration::from_secs(3000)), "{ttl:?}");
        job.forget().await.unwrap();
    }
}

/// For how long the record was written.
async fn time_to_live(bench: &Bench, job: &JobHandle) -> Duration {
    let connection = bench.client.connection();
    let states = bench.server.jetstream.get_stream(connection.names.states_stream()).await.unwrap();
    let message = states.get_last_raw_message_by_subject(&connection.names.state_subject(job.key())).await;
    let seconds: u64 = message.unwrap().headers.get(header::TTL).unwrap().as_str().parse().unwrap();
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_job_revoked_after_its_schedule_fired_is_revoked_and_its_message_left_for_a_host() {
    let bench = Bench::start().await;
    let job = bench.submit_at(now().plus(Duration::from_millis(100))).await.job;
    let message = bench.until_queued(&job).await;
    assert_eq!(job.revoke("too late to unschedule").await.unwrap().label(), StateLabel::Revoked);
    assert_eq!(bench.message(&job).await.unwrap().sequence, message.sequence);
    assert_eq!(job.record().await.unwrap().label(), StateLabel::Revoked);
}
