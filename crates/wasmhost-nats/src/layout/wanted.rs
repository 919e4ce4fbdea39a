//! Each stream and bucket as the protocol needs it, with the reasons. The whole table is in
//! [names.md](https://github.com/wasmhost/wasmhost/blob/main/docs/names.md#settings-of-each-stream).

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, Republish, RetentionPolicy, Source, SubjectTransform,
};
use wasmhost_protocol::names::Names;
use wasmhost_protocol::record::Marker;

use super::config::LayoutConfig;

/// How long a stream remembers message ids, so that a publish without an answer is recognised when it is sent again.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// The largest message of a job: its arguments (512 KiB) and headers.
pub(super) const JOB_BYTES: i32 = 768 << 10;
/// An upper bound for what the server adds to a message on its way from the schedules to the jobs. A message that the
/// job stream cannot store holds up all that fire after it, without any sign of it.
const SOURCED_BYTES: i32 = 64 << 10;
/// The sequence at which the source begins. An emptied job stream forgets how far its source was and begins here;
/// without a start it would pass over what has fired meanwhile.
const FIRST: u64 = 1;
/// The largest record: an inline result, meta, error texts and the rest.
const RECORD_BYTES: i32 = 512 << 10;
/// The consumers of the states stream: each client that lists jobs by a consumer of its own is one for a moment.
const STATES_CONSUMERS: i32 = 100_000;
/// The consumers of each other stream: one for each queue on the job stream, and one for a moment for each client that
/// reads by a consumer. Without a number, the server has a limit of its own: 1,000 from 2.15 on, and an operator may
/// lower it.
const CONSUMERS: i32 = 4_096;
/// How many versions of a module jobs in flight may name.
pub(crate) const MODULE_HISTORY: i64 = 20;
/// How long the presence of a host is kept: it has then missed three heartbeats.
const HOST_TTL: Duration = Duration::from_secs(30);
/// How long logs and dead-letter copies are kept.
const ARCHIVE_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// All streams, for an account that allows a stream so many consumers.
pub(super) fn streams(names: &Names, config: &LayoutConfig, consumers: Option<i64>) -> Vec<Config> {
    let mut all = vec![
        // Before the job stream, which sources it.
        schedules(names, config),
        jobs(names, config),
        states(names),
        modules(names),
        hosts(names),
        objects(names.components_stream(), names.components_subjects()),
        blobs(names),
        archive(names.logs_stream(), names.logs_filter(), config.logs_max_bytes),
        archive(names.dead_stream(), names.dead_filter(), config.dead_max_bytes),
    ];
    for stream in &mut all {
        stream.num_replicas = config.replicas;
        stream.max_consumers = most_consumers(stream.max_consumers, consumers);
    }
    all
}

/// The number of consumers to ask for, where `asked` is that of the stream itself.
fn most_consumers(asked: i32, of_account: Option<i64>) -> i32 {
    let wanted = if asked > 0 { asked } else { CONSUMERS };
    // The server refuses a stream that names more than the account allows, and takes the account's limit where it names
    // none.
    let is_too_many = of_account.is_some_and(|most| most < i64::from(wanted));
    if is_too_many { -1 } else { wanted }
}

fn jobs(names: &Names, config: &LayoutConfig) -> Config {
    let due = SubjectTransform { source: names.due_filter(), destination: names.jobs_filter() };
    // There is no limit for each subject, which would stall the source, and no time to live, which would expire queued
    // jobs.
    Config {
        name: names.jobs_stream(),
        subjects: names.jobs_stream_subjects().into(),
        retention: RetentionPolicy::WorkQueue,
        // Discarding old messages would drop accepted jobs, and tell nobody.
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

fn schedules(names: &Names, config: &LayoutConfig) -> Config {
    // The server discards the oldest in a stream of schedules, so that any limit would drop accepted ones. How much
    // they may take is in the metadata, for those who publish them.
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

fn states(names: &Names) -> Config {
    let (source, destination) = names.states_republish();
    // There is no maximal age, which would expire running jobs.
    Config {
        // With a longer history, an older record would reappear when the newest one expires.
        max_messages_per_subject: 1,
        max_message_size: RECORD_BYTES,
        max_consumers: STATES_CONSUMERS,
        allow_message_ttl: true,
        // Without markers no watcher would see that a record expires.
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
        // The server allows no window that is longer than the messages' age.
        duplicate_window: HOST_TTL,
        ..bucket(names.hosts_stream(), names.hosts_filter())
    }
}

/// A key-value bucket as every client of NATS makes one. A full one refuses writes instead of losing entries.
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

/// An object store as every client of NATS makes one.
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

fn blobs(names: &Names) -> Config {
    // A result lives no longer than its record and a margin.
    Config { allow_message_ttl: true, ..objects(names.blobs_stream(), names.blobs_subjects()) }
}

/// A stream of logs or dead-letter copies, in which the oldest give way.
fn archive(name: String, filter: String, max_bytes: i64) -> Config {
    Config {
        name,
        subjects: vec![filter],
        max_bytes,
        max_age: ARCHIVE_AGE,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        ..Config::default()
    }
}
