use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::{Source, SubjectTransform};

use super::*;

#[test]
fn a_foreign_setting_is_named_with_its_fix() {
    let wanted = Config { name: "S".to_owned(), max_messages_per_subject: 1, ..Config::default() };
    assert_eq!(stream(&wanted, &wanted), []);
    let found = Config { max_messages_per_subject: 5, allow_rollup: true, ..wanted.clone() };
    let texts: Vec<_> = stream(&found, &wanted).iter().map(Difference::to_string).collect();
    let fix = "`S`: `max_msgs_per_subject` is 5, wanted 1; fix it with `nats stream edit S --max-msgs-per-subject=1`";
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[0], fix);
}

#[test]
fn a_size_of_another_number_is_fine_where_it_is_a_limit() {
    let wanted = Config { max_bytes: 10, num_replicas: 3, ..Config::default() };
    let found = Config { max_bytes: 99, num_replicas: 5, ..Config::default() };
    assert_eq!(stream(&found, &wanted), []);
    let found = Config { max_bytes: -1, num_replicas: 1, ..Config::default() };
    let fields: Vec<_> = stream(&found, &wanted).iter().map(|difference| difference.field).collect();
    assert_eq!(fields, ["max_bytes", "num_replicas"]);
}

#[test]
fn a_limit_of_the_servers_own_is_no_limit_of_ours() {
    let wanted = Config { name: "S".to_owned(), max_consumers: 4096, ..Config::default() };
    assert_eq!(stream(&Config { max_consumers: 5000, ..wanted.clone() }, &wanted), []);
    let texts: Vec<_> = [-1, 1000].map(|max_consumers| Config { max_consumers, ..wanted.clone() }).into();
    let texts: Vec<_> =
        texts.iter().flat_map(|found| stream(found, &wanted)).map(|it| it.to_string()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().all(|text| text.ends_with("nats stream edit S --max-consumers=4096`")), "{texts:?}");
}

#[test]
fn what_takes_a_stream_out_of_use_is_told() {
    let source = |start_sequence| Some(vec![Source { start_sequence, ..Source::default() }]);
    let wanted = Config { sources: source(Some(1)), ..Config::default() };
    let found = Config {
        sealed: true,
        mirror: Some(Source::default()),
        no_ack: true,
        deny_purge: true,
        sources: source(None),
        ..wanted.clone()
    };
    let fields: Vec<_> = stream(&found, &wanted).iter().map(|difference| difference.field).collect();
    assert_eq!(fields, ["sealed", "mirror", "no_ack", "deny_purge", "sources"]);
}

#[test]
fn every_setting_of_a_consumer_is_told() {
    let wanted = consumer::Config {
        filter_subject: "a.>".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(30),
        max_deliver: -1,
        max_ack_pending: -1,
        max_waiting: 4096,
        ..consumer::Config::default()
    };
    let told = |found: &consumer::Config| consumer(("S", "c"), found, &wanted);
    assert_eq!(told(&wanted), []);
    assert_eq!(told(&consumer::Config { max_waiting: 9999, ..wanted.clone() }), []);
    let found = consumer::Config {
        deliver_subject: Some("push".to_owned()),
        deliver_policy: DeliverPolicy::New,
        ack_wait: Duration::from_secs(10),
        max_deliver: 5,
        max_waiting: 512,
        inactive_threshold: Duration::from_secs(60),
        ..wanted.clone()
    };
    let texts: Vec<_> = told(&found).iter().map(Difference::to_string).collect();
    let expected = [
        "`c`: `deliver_subject` is push, wanted not set; fix it with `nats consumer rm S c`",
        "`c`: `deliver_policy` is new, wanted all; fix it with `nats consumer rm S c`",
        "`c`: `ack_wait` is 10s, wanted 30s; fix it with `nats consumer edit S c --wait=30s`",
        "`c`: `max_deliver` is 5, wanted -1; fix it with `nats consumer edit S c --max-deliver=-1`",
        "`c`: `max_waiting` is 512, wanted 4096; fix it with `nats consumer rm S c`",
        "`c`: `inactive_threshold` is 1m, wanted not set; fix it with `nats consumer rm S c`",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn a_limit_of_the_schedules_is_named_since_it_would_drop_some() {
    let wanted =
        Config { name: "S".to_owned(), allow_message_schedules: true, max_bytes: -1, ..Config::default() };
    assert_eq!(stream(&Config { max_bytes: 0, ..wanted.clone() }, &wanted), []);
    let differences = stream(&Config { max_bytes: 10, ..wanted.clone() }, &wanted);
    assert_eq!(differences[0].fix, "nats stream edit S --max-bytes=-1");
}

#[test]
fn a_source_without_a_start_is_named_with_its_fix() {
    let due = SubjectTransform { source: "due.>".to_owned(), destination: "jobs.>".to_owned() };
    let source = Source { name: "S".to_owned(), subject_transforms: vec![due], ..Source::default() };
    let started = Source { start_sequence: Some(1), ..source.clone() };
    let of = |source| Config { name: "J".to_owned(), sources: Some(vec![source]), ..Config::default() };
    assert_eq!(stream(&of(started.clone()), &of(started.clone())), []);
    let differences = stream(&of(source), &of(started));
    let fix = "nats stream purge S --subject='due.>' && nats stream edit J --interactive";
    assert_eq!((differences[0].field, &*differences[0].fix), ("sources", fix));
    assert!(differences[0].wanted.contains(r#""opt_start_seq":1"#), "{}", differences[0]);
}
