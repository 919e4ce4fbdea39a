//! What exists is compared, never changed.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull, push};
use async_nats::jetstream::stream::{Config, Source};
use wasmhost_nats::{
    ConnectConfig, Connection, Difference, LayoutConfig, LayoutError, MIN_PAYLOAD, Problem, Records,
    WriteError, ensure_consumer, ensure_deployment, ensure_layout,
};
use wasmhost_protocol::ids::QueueName;
use wasmhost_testing::records::{key, pending, queue};
use wasmhost_testing::{Bench, Options, user};

use crate::consumers::pull_consumer;

#[tokio::test]
async fn what_was_made_is_as_wanted() {
    let bench = Bench::new().await;
    ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap();
    let small = LayoutConfig { jobs_max_bytes: 1 << 20, ..LayoutConfig::default() };
    ensure_layout(&bench.connection, &small).await.unwrap();
}

#[tokio::test]
async fn foreign_settings_are_all_named_and_left_alone() {
    let bench = Bench::new().await;
    let names = &bench.connection.names;
    bench.edit_stream(names.jobs_stream(), |config| config.max_age = Duration::from_secs(3600)).await;
    bench.edit_stream(names.states_stream(), |config| config.max_messages_per_subject = 5).await;

    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    let differences = settings(error);
    let reported: Vec<_> = differences
        .iter()
        .map(|d| (d.object.as_str(), d.field, d.found.as_str(), d.wanted.as_str()))
        .collect();
    let expected =
        [("WASMHOST_JOBS", "max_age", "1h", "0"), ("KV_wasmhost-states", "max_msgs_per_subject", "5", "1")];
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert_eq!(reported[1], expected[1]);
    assert_eq!((reported[0].0, reported[0].1, reported[0].2), (expected[0].0, expected[0].1, expected[0].2));
    assert!(differences[0].fix.starts_with("nats stream edit WASMHOST_JOBS --max-age="));
}

#[tokio::test]
async fn what_an_older_version_made_is_refused_with_what_fixes_it() {
    let bench = Bench::new().await;
    let jetstream = &bench.jetstream;
    let names = &bench.connection.names;
    let wanted = bench.stream(names.jobs_stream()).await.cached_info().config.clone();
    let forget_where_to_start = |config: &mut Config| {
        config.sources.iter_mut().flatten().for_each(|source| source.start_sequence = None)
    };
    bench.edit_stream(names.jobs_stream(), forget_where_to_start).await;
    bench.edit_stream(names.schedules_stream(), |config| config.max_bytes = 1 << 30).await;

    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    let differences = settings(error);
    let commands: Vec<_> = differences.iter().map(|difference| &*difference.fix).collect();
    let fixes = [
        "nats stream edit WASMHOST_SCHEDULES --max-bytes=-1",
        "nats stream purge WASMHOST_SCHEDULES --subject='wasmhost.due.>' && \
         nats stream edit WASMHOST_JOBS --interactive",
    ];
    assert_eq!(commands, fixes);
    // Both are changed in place.
    jetstream.update_stream(wanted).await.unwrap();
    bench.edit_stream(names.schedules_stream(), |config| config.max_bytes = -1).await;
    ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap();
}

#[tokio::test]
async fn a_consumer_with_a_delivery_limit_is_refused() {
    let bench = Bench::new().await;
    let consumer = ensure_consumer(&bench.connection, &queue(), Duration::from_secs(30)).await.unwrap();
    let mut config = pull_consumer(&bench, &consumer).await.cached_info().config.clone();
    config.max_deliver = 5;
    let stream = bench.jetstream.get_stream(bench.connection.names.jobs_stream()).await.unwrap();
    let pull = pull::Config {
        durable_name: config.durable_name.clone(),
        filter_subject: config.filter_subject.clone(),
        ack_wait: config.ack_wait,
        max_ack_pending: config.max_ack_pending,
        max_waiting: config.max_waiting,
        max_deliver: 5,
        ..Default::default()
    };
    stream.update_consumer(pull).await.unwrap();
    let error = ensure_consumer(&bench.connection, &queue(), Duration::from_secs(30)).await.unwrap_err();
    let text = error.to_string();
    let fix = "nats consumer edit WASMHOST_JOBS wasmhost-default --max-deliver=-1";
    assert!(text.contains("`max_deliver` is 5, wanted -1") && text.contains(fix), "{text}");
}

/// Everything that differs, and nothing else.
fn settings(error: LayoutError) -> Vec<Difference> {
    let LayoutError::Problems(problems) = error else { panic!("{error}") };
    let settings = problems.into_iter().map(|problem| match problem {
        Problem::Setting(difference) => difference,
        problem => panic!("{problem}"),
    });
    settings.collect()
}

async fn ensure(bench: &Bench, queues: &[&str]) -> Result<(), LayoutError> {
    let queues: Vec<_> = queues.iter().map(|queue| QueueName::parse(queue).expect("a queue")).collect();
    let config = LayoutConfig::default();
    ensure_deployment(&bench.connection, &config, &queues, Duration::from_secs(30)).await.map(drop)
}

#[tokio::test]
async fn all_that_is_wrong_with_streams_buckets_and_consumers_is_reported_at_once() {
    let bench = Bench::new().await;
    let jetstream = &bench.jetstream;
    let names = &bench.connection.names;
    ensure(&bench, &["default", "high"]).await.unwrap();
    bench.edit_stream(names.jobs_stream(), |config| config.max_age = Duration::from_secs(3600)).await;
    bench.edit_stream(names.dead_stream(), |config| config.sealed = true).await;
    jetstream.delete_stream(names.states_stream()).await.unwrap();
    let jobs = jetstream.get_stream(names.jobs_stream()).await.unwrap();
    let mut default: pull::Config = pulled(&jobs, "wasmhost-default").await;
    default.max_deliver = 5;
    default.ack_wait = Duration::from_secs(10);
    jobs.update_consumer(default).await.unwrap();
    jobs.delete_consumer("wasmhost-high").await.unwrap();
    let push = push::Config {
        durable_name: Some("wasmhost-high".to_owned()),
        deliver_subject: "pushed".to_owned(),
        filter_subject: "wasmhost.jobs.high.>".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ..push::Config::default()
    };
    jobs.create_consumer(push).await.unwrap();

    let text = ensure(&bench, &["default", "high"]).await.unwrap_err().to_string();
    for reported in [
        "`WASMHOST_JOBS`: `max_age` is 1h",
        "`WASMHOST_DEAD`: `sealed` is true",
        "`KV_wasmhost-states` is missing",
        "`wasmhost-default`: `ack_wait` is 10s, wanted 30s",
        "`wasmhost-default`: `max_deliver` is 5, wanted -1",
        "`wasmhost-high`: `deliver_subject` is pushed, wanted not set",
    ] {
        assert!(text.contains(reported), "{reported}: {text}");
    }
    let gone = jetstream.get_stream(names.states_stream()).await;
    assert!(gone.is_err(), "and nothing was made meanwhile");
}

async fn pulled(stream: &async_nats::jetstream::stream::Stream, name: &str) -> pull::Config {
    let consumer = stream.get_consumer::<pull::Config>(name).await.expect("it stands");
    let config = consumer.cached_info().config.clone();
    pull::Config {
        durable_name: config.durable_name,
        filter_subject: config.filter_subject,
        ack_policy: config.ack_policy,
        ack_wait: config.ack_wait,
        max_deliver: config.max_deliver,
        max_ack_pending: config.max_ack_pending,
        max_waiting: config.max_waiting,
        ..pull::Config::default()
    }
}

#[tokio::test]
async fn a_mirror_instead_of_a_bucket_is_reported() {
    let bench = Bench::new().await;
    let jetstream = &bench.jetstream;
    let names = &bench.connection.names;
    jetstream.delete_stream(names.hosts_stream()).await.unwrap();
    let mirror = Source { name: names.modules_stream(), ..Source::default() };
    let config = Config { name: names.hosts_stream(), mirror: Some(mirror), ..Config::default() };
    jetstream.create_stream(config).await.unwrap();
    let text = ensure(&bench, &[]).await.unwrap_err().to_string();
    let fix = "wanted not set; fix it with `nats stream rm KV_wasmhost-hosts`";
    assert!(text.contains("`mirror` is {") && text.contains(fix), "{text}");
}

#[tokio::test]
async fn a_deployment_without_its_limits_of_consumers_and_requests_is_reported_with_the_commands() {
    let bench = Bench::new().await;
    let names = &bench.connection.names;
    bench.edit_stream(names.jobs_stream(), |config| config.max_consumers = -1).await;
    let jobs = bench.jetstream.get_stream(names.jobs_stream()).await.unwrap();
    let old = pull::Config {
        durable_name: Some("wasmhost-default".to_owned()),
        filter_subject: "wasmhost.jobs.default.>".to_owned(),
        ack_policy: AckPolicy::Explicit,
        max_deliver: -1,
        max_ack_pending: -1,
        ..pull::Config::default()
    };
    jobs.create_consumer(old).await.unwrap();
    let reported = settings(ensure(&bench, &["default"]).await.unwrap_err());
    let reported: Vec<_> = reported.iter().map(|it| (it.field, it.found.as_str(), it.fix.as_str())).collect();
    let expected = [
        ("max_consumers", "-1", "nats stream edit WASMHOST_JOBS --max-consumers=4096"),
        ("max_waiting", "512", "nats consumer rm WASMHOST_JOBS wasmhost-default"),
    ];
    assert_eq!(reported, expected);
    bench.edit_stream(names.jobs_stream(), |config| config.max_consumers = 4096).await;
    jobs.delete_consumer("wasmhost-default").await.unwrap();
    ensure(&bench, &["default"]).await.unwrap();
}

#[tokio::test]
async fn a_queue_over_the_limit_of_consumers_is_refused_by_a_word_that_names_it() {
    let bench = Bench::new().await;
    ensure(&bench, &["default"]).await.unwrap();
    bench.edit_stream(bench.connection.names.jobs_stream(), |config| config.max_consumers = 1).await;
    let queue = QueueName::parse("high").unwrap();
    let error = ensure_consumer(&bench.connection, &queue, Duration::from_secs(30)).await.unwrap_err();
    let text = error.to_string();
    let reported = "`wasmhost-high` cannot be made: `WASMHOST_JOBS` has as many consumers as it may";
    assert!(text.contains(reported) && text.contains("max_consumers"), "{text}");
    assert!(text.contains("nats consumer ls WASMHOST_JOBS"), "{text}");
}

#[tokio::test]
async fn a_server_that_takes_no_job_of_the_largest_size_is_reported_with_its_option() {
    let of = |bytes: usize| Options::default().extra_config(format!("max_payload: {bytes}"));
    let bench = Bench::bare(&of(MIN_PAYLOAD)).await;
    ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap();
    let bench = Bench::bare(&of(MIN_PAYLOAD - 1)).await;
    let reported = settings(ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err());
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert_eq!((reported[0].object.as_str(), reported[0].field), ("nats-server", "max_payload"));
    assert_eq!(reported[0].wanted, MIN_PAYLOAD.to_string());
}

#[tokio::test]
async fn a_server_without_jetstream_is_named_as_such() {
    let bench = Bench::bare(&Options::default().without_jetstream()).await;
    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    assert!(matches!(error, LayoutError::JetStreamOff(_)), "{error}");
}

#[tokio::test]
async fn a_foreign_stream_on_our_subjects_is_refused_with_the_servers_words() {
    let bench = Bench::bare(&Options::default()).await;
    let config = Config {
        name: "FOREIGN".to_owned(),
        subjects: vec![bench.connection.names.jobs_filter()],
        ..Default::default()
    };
    bench.jetstream.create_stream(config).await.unwrap();
    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    let LayoutError::Problems(problems) = &error else { panic!("{error}") };
    let refused =
        |problem: &Problem| matches!(problem, Problem::Refused { object, .. } if object == "WASMHOST_JOBS");
    assert!(matches!(problems.as_slice(), [problem] if refused(problem)), "{error}");
}

#[tokio::test]
async fn a_denied_write_is_reported_at_once_with_the_subject() {
    let config = r#"authorization { users: [
        { user: admin, password: a },
        { user: reader, password: r, permissions: { publish: { deny: "$KV.>" } } },
    ] }"#;
    let options = Options::default().extra_config(config);
    let bench = Bench::bare_as(&options, user("admin", "a")).await;
    ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap();
    let mut config = ConnectConfig::new(bench.server.url());
    config.credentials = user("reader", "r");
    let reader = Connection::open(&config).await.unwrap();
    let key = key("a.b.1");
    let error = Records::new(&reader).write(&key, &pending(&key), 0, None).await.unwrap_err();
    let subject = reader.names.state_subject(&key);
    assert!(matches!(&error, WriteError::Denied { text, .. } if text.contains(&subject)), "{error}");
    assert!(reader.last_denial().unwrap().contains(&subject));
}
