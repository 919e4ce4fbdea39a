//! Each stream and bucket as the protocol needs it, with the reasons.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, Republish, RetentionPolicy, Source, SubjectTransform,
};
use wasmhost_protocol::names::Names;
use wasmhost_protocol::record::Marker;

use super::config::LayoutConfig;

/// Unacknowledged publishes are told apart from new ones for so long.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// The largest message of a job: its arguments (512 KiB) and headers.
pub(super) const JOB_BYTES: i32 = 768 << 10;
/// More than the server adds to a message on its way from the schedules to the jobs: one that found no place there would stop
/// all that fire after it, and no one is told.
const SOURCED_BYTES: i32 = 64 << 10;
/// The first message of the schedules. A job stream without messages does not know how far it has come, and goes on from
/// here: without it, with what fires next.
const FIRST: u64 = 1;
/// The largest record: an inline result, meta, error texts and the rest.
const RECORD_BYTES: i32 = 512 << 10;
/// Consumers of the states stream, above the server's default of 1000: each that lists jobs is one for a moment.
const STATES_CONSUMERS: i32 = 100_000;
/// Consumers of each other stream: one a queue on the job stream, one for a moment for who lists or reads elsewhere. Where
/// none is named the server has a limit of its own, 1000 as a rule from 2.15 on, which an operator may lower.
const CONSUMERS: i32 = 4_096;
/// Versions of a module that jobs in flight may name.
pub(crate) const MODULE_HISTORY: i64 = 20;
/// A host that has not renewed its key for so long is not shown.
const HOST_TTL: Duration = Duration::from_secs(30);
/// How long logs and dead jobs are kept.
const KEPT_FOR_PEOPLE: Duration = Duration::from_secs(7 * 24 * 3600);

/// All of them, for an account that allows a stream so many consumers.
pub(super) fn streams(names: &Names, config: &LayoutConfig, consumers: Option<i64>) -> Vec<Config> {
    // Schedules first: the job stream sources them.
    let mut all = vec![
        schedules(names, config),
        jobs(names, config),
        states(names),
        modules(names),
        hosts(names),
        objects(names.components_stream(), names.components_subjects()),
        blobs(names),
        kept(names.logs_stream(), names.logs_filter(), config.logs_max_bytes),
        kept(names.dead_stream(), names.dead_filter(), config.dead_max_bytes),
    ];
    for stream in &mut all {
        stream.num_replicas = config.replicas;
        if stream.max_consumers <= 0 {
            stream.max_consumers = CONSUMERS;
        }
        // The server refuses a stream that names more than the account allows, and has the account's limit for one that
        // names none.
        if consumers.is_some_and(|most| most < i64::from(stream.max_consumers)) {
            stream.max_consumers = -1;
        }
    }
    all
}

/// No per-subject limit, which would stall the source, and no TTL, which would expire queued jobs.
fn jobs(names: &Names, config: &LayoutConfig) -> Config {
    let due = SubjectTransform { source: names.due_filter(), destination: names.jobs_filter() };
    Config {
        name: names.jobs_stream(),
        subjects: names.jobs_stream_subjects().into(),
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_bytes: config.jobs_max_bytes,
        max_messages: config.jobs_max_messages,
        max_message_size: JOB_BYTES + SOURCED_BYTES,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        sources: Some(vec![Source {
            name: names.schedules_stream(),
            start_sequence: Some(FIRST),
            subject_transforms: vec![due],
            ..Source::default()
        }]),
        ..Config::default()
    }
}

/// The server forces discard old on schedules, so that any limit would cost somebody a schedule that was accepted. How much
/// they may take is written down for those who publish them.
fn schedules(names: &Names, config: &LayoutConfig) -> Config {
    let most = (Names::SCHEDULES_MAX_BYTES.to_owned(), config.schedules_max_bytes.to_string());
    Config {
        name: names.schedules_stream(),
        subjects: names.schedule_subjects().into(),
        metadata: HashMap::from([most]),
        max_bytes: -1,
        max_message_size: JOB_BYTES,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        allow_rollup: true,
        allow_message_ttl: true,
        allow_message_schedules: true,
        ..Config::default()
    }
}

/// History 1: with more, an older value would reappear when the newest expires. No maximal age: it would expire
/// running jobs.
fn states(names: &Names) -> Config {
    let (source, destination) = names.states_republish();
    Config {
        max_messages_per_subject: 1,
        max_message_size: RECORD_BYTES,
        max_consumers: STATES_CONSUMERS,
        allow_message_ttl: true,
        subject_delete_marker_ttl: Some(Marker::LIFE),
        republish: Some(Republish { source, destination, headers_only: false }),
        ..bucket(names.states_stream(), names.states_filter())
    }
}

fn modules(names: &Names) -> Config {
    Config {
        max_messages_per_subject: MODULE_HISTORY,
        ..bucket(names.modules_stream(), names.modules_filter())
    }
}

fn hosts(names: &Names) -> Config {
    Config {
        max_messages_per_subject: 1,
        max_age: HOST_TTL,
        // At most as long as the messages live.
        duplicate_window: HOST_TTL,
        ..bucket(names.hosts_stream(), names.hosts_filter())
    }
}

/// What every key-value bucket has in common.
fn bucket(name: String, filter: String) -> Config {
    Config {
        name,
        subjects: vec![filter],
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        allow_rollup: true,
        deny_delete: true,
        ..Config::default()
    }
}

fn objects(name: String, subjects: [String; 2]) -> Config {
    Config {
        name,
        subjects: subjects.into(),
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        allow_rollup: true,
        compression: Some(Compression::None),
        ..Config::default()
    }
}

/// With a time to live for what belongs to a record that has one.
fn blobs(names: &Names) -> Config {
    Config { allow_message_ttl: true, ..objects(names.blobs_stream(), names.blobs_subjects()) }
}

/// A stream for people: the oldest give way.
fn kept(name: String, filter: String, max_bytes: i64) -> Config {
    Config {
        name,
        subjects: vec![filter],
        max_bytes,
        max_age: KEPT_FOR_PEOPLE,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        ..Config::default()
    }
}
