//! What exists is compared, never changed.

use std::time::Duration;

use nats_server_child::{JetStream, Options};
use wasmhost_nats::{
    ConnectConfig, Connection, Credentials, LayoutConfig, LayoutError, Records, WriteError, ensure_consumer,
    ensure_layout,
};

use crate::bench::{Bench, key, pending, queue};

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
    let (jetstream, names) = (&bench.connection.jetstream, &bench.connection.names);
    let mut jobs = jetstream.get_stream(names.jobs_stream()).await.unwrap().cached_info().config.clone();
    jobs.max_age = Duration::from_secs(3600);
    jetstream.update_stream(jobs).await.unwrap();
    let mut states = jetstream.get_stream(names.states_stream()).await.unwrap().cached_info().config.clone();
    states.max_messages_per_subject = 5;
    jetstream.update_stream(states).await.unwrap();

    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    let LayoutError::Differs(differences) = error else { panic!("{error}") };
    let told: Vec<_> = differences
        .iter()
        .map(|d| (d.object.as_str(), d.field, d.found.as_str(), d.wanted.as_str()))
        .collect();
    let expected =
        [("WASMHOST_JOBS", "max_age", "1h", "0"), ("KV_wasmhost-states", "max_msgs_per_subject", "5", "1")];
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], expected[1]);
    assert_eq!((told[0].0, told[0].1, told[0].2), (expected[0].0, expected[0].1, expected[0].2));
    assert!(differences[0].command.starts_with("nats stream edit WASMHOST_JOBS --max-age="));
}

#[tokio::test]
async fn what_an_older_version_made_is_refused_with_what_mends_it() {
    let bench = Bench::new().await;
    let (jetstream, names) = (&bench.connection.jetstream, &bench.connection.names);
    let mut jobs = jetstream.get_stream(names.jobs_stream()).await.unwrap().cached_info().config.clone();
    let wanted = jobs.clone();
    jobs.sources.iter_mut().flatten().for_each(|source| source.start_sequence = None);
    jetstream.update_stream(jobs).await.unwrap();
    let mut schedules =
        jetstream.get_stream(names.schedules_stream()).await.unwrap().cached_info().config.clone();
    schedules.max_bytes = 1 << 30;
    jetstream.update_stream(schedules.clone()).await.unwrap();

    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    let LayoutError::Differs(differences) = error else { panic!("{error}") };
    let commands: Vec<_> = differences.iter().map(|difference| &*difference.command).collect();
    let mends = [
        "nats stream edit WASMHOST_SCHEDULES --max-bytes=-1",
        "nats stream purge WASMHOST_SCHEDULES --subject='wasmhost.due.>' && \
         nats stream edit WASMHOST_JOBS --interactive",
    ];
    assert_eq!(commands, mends);
    // Both are changed in place.
    jetstream.update_stream(wanted).await.unwrap();
    jetstream
        .update_stream(async_nats::jetstream::stream::Config { max_bytes: -1, ..schedules })
        .await
        .unwrap();
    ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap();
}

#[tokio::test]
async fn a_consumer_with_a_delivery_limit_is_refused() {
    let bench = Bench::new().await;
    let consumer = ensure_consumer(&bench.connection, &queue(), Duration::from_secs(30)).await.unwrap();
    let mut config = consumer.pull.cached_info().config.clone();
    config.max_deliver = 5;
    let stream = bench.connection.jetstream.get_stream(bench.connection.names.jobs_stream()).await.unwrap();
    let pull = async_nats::jetstream::consumer::pull::Config {
        durable_name: config.durable_name.clone(),
        filter_subject: config.filter_subject.clone(),
        ack_wait: config.ack_wait,
        max_ack_pending: config.max_ack_pending,
        max_deliver: 5,
        ..Default::default()
    };
    stream.update_consumer(pull).await.unwrap();
    let error = ensure_consumer(&bench.connection, &queue(), Duration::from_secs(30)).await.unwrap_err();
    let text = error.to_string();
    let mend = "nats consumer edit WASMHOST_JOBS wasmhost-default --max-deliver=-1";
    assert!(text.contains("`max_deliver` is 5, wanted -1") && text.contains(mend), "{text}");
}

#[tokio::test]
async fn a_server_without_jetstream_is_named_as_such() {
    let bench = Bench::bare(&Options { jetstream: JetStream::Off, ..Options::default() }).await;
    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    assert!(matches!(error, LayoutError::JetStreamOff(_)), "{error}");
}

#[tokio::test]
async fn a_foreign_stream_on_our_subjects_is_refused_with_the_servers_words() {
    let bench = Bench::bare(&Options::default()).await;
    let config = async_nats::jetstream::stream::Config {
        name: "FOREIGN".to_owned(),
        subjects: vec![bench.connection.names.jobs_filter()],
        ..Default::default()
    };
    bench.connection.jetstream.create_stream(config).await.unwrap();
    let error = ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap_err();
    assert!(matches!(&error, LayoutError::Refused { object, .. } if object == "WASMHOST_JOBS"), "{error}");
}

#[tokio::test]
async fn a_denied_write_is_told_at_once_with_the_subject() {
    let config = r#"authorization { users: [
        { user: admin, password: a },
        { user: reader, password: r, permissions: { publish: { deny: "$KV.>" } } },
    ] }"#;
    let options = Options { extra_config: config.to_owned(), ..Options::default() };
    let bench = Bench::bare_as(&options, user("admin", "a")).await;
    ensure_layout(&bench.connection, &LayoutConfig::default()).await.unwrap();
    let reader = ConnectConfig { credentials: user("reader", "r"), ..ConnectConfig::new(bench.server.url()) };
    let reader = Connection::open(&reader).await.unwrap();
    let key = key("a.b.1");
    let error = Records::new(&reader).write(&key, &pending(&key), 0, None).await.unwrap_err();
    let subject = reader.names.state_subject(&key);
    assert!(matches!(&error, WriteError::Denied { text, .. } if text.contains(&subject)), "{error}");
    assert!(reader.last_denial().unwrap().contains(&subject));
}

fn user(user: &str, password: &str) -> Credentials {
    Credentials::UserPassword { user: user.to_owned(), password: password.to_owned() }
}
