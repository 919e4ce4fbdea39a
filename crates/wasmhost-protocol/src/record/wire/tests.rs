//! The written form of a record: what is written reads back, and the error for what is not a record names the
//! field.

use crate::machine::sample::forged;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::digest::Digest;
use crate::ids::{HostId, Inbox, JobId, JobKey, QueueName, StateName, TaskName};
use crate::machine::sample::{at, failure, started, submission, success, token};
use crate::machine::{JobSpec, Transition, WriteIntent, Writer, transition};
use crate::record::error::ErrorKind;
use crate::record::parts::{BlobRef, DeliveryOrdinal, Revoke, Token, Usage, WriteId};

fn blob() -> BlobRef {
    BlobRef { name: "m.f.1/1-ab".to_owned(), digest: Digest::from_bytes([0xab; 32]), bytes: 70_000 }
}

fn object(record: &Record) -> Value {
    serde_json::from_slice(&record.to_bytes()).unwrap()
}

/// Returns a record with every field set.
fn full() -> Record {
    forged!(
        started(),
        meta = Some(Json::encode(&json!({ "done": 1, "of": 2 })).unwrap()),
        host = Some(HostId::parse("host-a").unwrap()),
        expires_at = Some(at(900)),
        digest = Some(Digest::from_bytes([1; 32])),
        usage = Some(Usage { cpu_ms: 12, memory_peak_bytes: 1 << 20, wall_ms: 34 }),
        args_digest = Some(Digest::from_bytes([2; 32])),
        parent = Some(JobKey::parse("m.f.0").unwrap()),
        notify = Some(Inbox::parse("_INBOX.a.1").unwrap()),
        revoke = Some(Revoke { reason: "unwanted".to_owned(), stop_at: at(130) }),
        denied = vec!["http GET http://10.0.0.1/".to_owned()],
        checkpoint = Some(blob()),
        attempt = 3,
        charged = 1,
        lost = 1,
        after = Some(41)
    )
}

fn ended(end: End) -> Record {
    forged!(full(), state = JobState::Ended { end, finished_at: at(160) })
}

/// Returns a state of every form.
fn states() -> Vec<JobState> {
    let error = JobError {
        details: Some(Json::encode(&json!({ "code": 7 })).unwrap()),
        backtrace: Some("frame".to_owned()),
        stderr: Some("last words".to_owned()),
        retryable: true,
        ..JobError::new(ErrorKind::Failed, "it failed")
    };
    let end = |end| JobState::Ended { end, finished_at: at(160) };
    vec![
        JobState::Pending { not_before: None },
        JobState::Pending { not_before: Some(at(500)) },
        JobState::Running(RunningLabel::Pending),
        JobState::Running(RunningLabel::Started),
        JobState::Running(RunningLabel::Custom(StateName::parse("HALFWAY").unwrap())),
        JobState::Retry { not_before: at(140) },
        end(success()),
        end(End::Success(Payload::Inline(Json::parse(r#"{"b": 1.0, "a": [1e400]}"#).unwrap()))),
        end(End::Success(Payload::Blob(blob()))),
        end(failure(ErrorKind::WorkerLost)),
        end(End::Failure(error)),
        end(End::Revoked),
    ]
}

/// Returns the record as if no host had claimed it.
fn unclaimed(record: Record) -> Record {
    forged!(record, attempt = 0, charged = 0, lost = 0, token = None, delivery = None, msg_seq = None)
}

#[test]
fn a_record_in_any_state_reads_back() {
    for state in states() {
        let record = forged!(full(), state = state.clone());
        let record = if matches!(state, JobState::Pending { .. }) { unclaimed(record) } else { record };
        assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
    }
    for end in [failure(ErrorKind::NotPublished), End::Revoked] {
        let record = unclaimed(ended(end));
        assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
    }
}

#[test]
fn a_running_and_each_terminal_record_look_as_documented() {
    let error =
        JobError { stderr: Some("last words".to_owned()), ..JobError::new(ErrorKind::Trapped, "it failed") };
    let records = [
        ("running", full()),
        ("success", ended(End::Success(Payload::Inline(Json::parse(r#"{"sum":3}"#).unwrap())))),
        ("success, large", ended(End::Success(Payload::Blob(blob())))),
        ("failure", ended(End::Failure(error))),
        ("revoked", ended(End::Revoked)),
    ];
    let mut text = String::new();
    for (name, record) in records {
        text.push_str(&format!("== {name}\n"));
        let fields = Fields::parse(&record.to_bytes()).unwrap().left;
        for (field, value) in fields {
            text.push_str(&format!("{field}: {value}\n"));
        }
    }
    insta::assert_snapshot!(text);
}

fn field_names(record: &Record) -> Vec<String> {
    Fields::parse(&record.to_bytes()).unwrap().left.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn fields_are_in_the_documented_order_and_each_has_a_value() {
    let documented: Vec<_> = "state meta task id attempt max_attempts queue host result result_ref error submitted_at \
                              started_at updated_at finished_at not_before expires_at digest usage args_digest parent notify \
                              revoke denied checkpoint token write charged lost delivery msg_seq after v"
        .split_whitespace()
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    for state in states() {
        let record = forged!(full(), state = state);
        let names = field_names(&record);
        assert!(
            names.iter().is_sorted_by_key(|name| documented.iter().position(|known| known == name)),
            "{names:?}"
        );
        // A task may return null.
        let fields = Fields::parse(&record.to_bytes()).unwrap().left;
        assert!(
            fields.iter().all(|(name, value)| name == "result" || value.as_str() != "null"),
            "{fields:?}"
        );
        seen.extend(names);
    }
    assert_eq!(seen, documented.iter().map(ToString::to_string).collect());
}

#[test]
fn a_record_has_only_the_fields_that_it_has_values_for() {
    let record = transition(
        None,
        &WriteIntent {
            transition: Transition::Submit(JobSpec { max_attempts: None, ..submission() }),
            writer: Writer::Client,
            now: at(0),
            write: WriteId::from_random(9),
        },
    )
    .unwrap();
    assert_eq!(
        field_names(&record).join(" "),
        "state task id attempt queue submitted_at updated_at write charged lost v"
    );
    let with_all = String::from_utf8(record.to_bytes()).unwrap().replace(
        r#","v":1"#,
        r#","meta":null,"max_attempts":null,"result":null,"error":null,"denied":[],"after":null,"v":1"#,
    );
    assert_eq!(Record::from_bytes(with_all.as_bytes()).unwrap(), record);
}

#[test]
fn unknown_fields_survive_a_rewrite_in_their_place_before_the_version() {
    let known = full().to_bytes();
    let text = String::from_utf8(known).unwrap();
    let first = text.replacen('{', r#"{"shiny":{"z":1,"a":1.50},"#, 1);
    let both = first.replace(r#","v":1"#, r#","newer":[null],"v":1"#);
    let record = Record::from_bytes(both.as_bytes()).unwrap();
    let rewritten = String::from_utf8(record.to_bytes()).unwrap();
    let tail = r#","shiny":{"z":1,"a":1.50},"newer":[null],"v":1}"#;
    assert!(rewritten.ends_with(tail), "{rewritten}");
    assert_eq!(Record::from_bytes(rewritten.as_bytes()).unwrap(), record);
    assert_eq!(forged!(record, unknown = Vec::new()), full());
}

#[test]
fn an_error_has_only_the_parts_that_it_has_values_for() {
    let record = ended(failure(ErrorKind::Trapped));
    let text = String::from_utf8(record.to_bytes()).unwrap();
    assert!(!text.contains("null"), "{text}");
    let with_all =
        text.replace(r#","retryable""#, r#","details":null,"backtrace":null,"stderr":null,"retryable""#);
    assert_ne!(with_all, text);
    assert_eq!(Record::from_bytes(with_all.as_bytes()).unwrap(), record);
}

#[test]
fn a_newer_version_is_named_whatever_else_it_says() {
    for (text, wanted) in [
        (r#"{"v":2}"#, "record of version 2; this host knows version 1"),
        (r#"{"state":7,"attempt":"many","v":9}"#, "record of version 9; this host knows version 1"),
    ] {
        let error = Record::from_bytes(text.as_bytes()).unwrap_err();
        assert!(matches!(error, RecordError::Newer(_)), "{error}");
        assert_eq!(error.to_string(), wanted);
    }
}

/// Reads the record after a change to its JSON, and expects an error that begins with `wanted`.
fn check(record: &Record, change: &Value, wanted: &str) {
    let mut value = object(record);
    for (field, to) in change.as_object().unwrap() {
        value[field] = to.clone();
    }
    let found = Record::from_bytes(value.to_string().as_bytes());
    match found {
        Err(RecordError::Unreadable(why)) => assert!(why.starts_with(wanted), "{change}: {why}"),
        other => panic!("{change}: {other:?}"),
    }
}

#[test]
fn an_impossible_record_is_named() {
    let running = full();
    let never = unclaimed(forged!(full(), state = JobState::Pending { not_before: None }));
    let succeeded = ended(success());
    let failed = ended(failure(ErrorKind::Failed));
    for (record, change, wanted) in [
        (&running, json!({ "state": "started" }), "state: unknown `started`"),
        (&running, json!({ "state": null }), "state: "),
        (
            &running,
            json!({ "attempt": 0, "charged": 0, "lost": 0 }),
            "attempt: 0 in STARTED, which needs a claim",
        ),
        (&running, json!({ "attempt": -1 }), "attempt: "),
        (&running, json!({ "attempt": u32::MAX }), "attempt: no further one could be counted"),
        (&running, json!({ "attempt": 1 }), "attempt: less than charged and lost together"),
        (&running, json!({ "charged": u32::MAX, "lost": u32::MAX }), "attempt: less than charged"),
        (&running, json!({ "token": null }), "token: missing though claimed"),
        (&running, json!({ "token": "ab" }), "token: "),
        (&running, json!({ "delivery": null }), "delivery: missing though claimed"),
        (&running, json!({ "msg_seq": null }), "msg_seq: missing though claimed"),
        (&running, json!({ "result": 1 }), "result: in STARTED"),
        (&running, json!({ "error": object(&failed)["error"] }), "error: in STARTED"),
        (&running, json!({ "finished_at": at(1) }), "finished_at: in STARTED"),
        (&running, json!({ "state": "RETRY" }), "not_before: missing in RETRY"),
        (&running, json!({ "v": 0 }), "v: 0 is no version"),
        (&running, json!({ "v": null }), "v: "),
        (&running, json!({ "task": "m" }), "task: "),
        (&running, json!({ "id": "a.b" }), "id: "),
        (&running, json!({ "updated_at": "yesterday" }), "updated_at: "),
        (&never, json!({ "token": token(1) }), "token: stands though never claimed"),
        (&never, json!({ "msg_seq": 1 }), "msg_seq: stands though never claimed"),
        (&succeeded, json!({ "finished_at": null }), "finished_at: missing in SUCCESS"),
        (&succeeded, json!({ "result": 1, "result_ref": blob() }), "result, result_ref: both in SUCCESS"),
        (&failed, json!({ "error": null }), "error: missing in FAILURE"),
        (&failed, json!({ "result_ref": blob() }), "result: in FAILURE"),
    ] {
        check(record, &change, wanted);
    }
    let twice = String::from_utf8(running.to_bytes()).unwrap().replacen('{', r#"{"host":"host-b","#, 1);
    let why = Record::from_bytes(twice.as_bytes()).unwrap_err().to_string();
    assert_eq!(why, "unreadable record: host: stands twice");
    for text in ["", "null", "[]", "{", "{}x", "7", "\u{feff}{}"] {
        let found = Record::from_bytes(text.as_bytes());
        assert!(matches!(found, Err(RecordError::Unreadable(_))), "{text}: {found:?}");
    }
}

prop_compose! {
    fn numbers()(attempt in 1..u32::MAX, charged: u32, lost: u32, seq: u64, count: u64, created: u32,
                 fence: u128, write: u128) -> Record {
        let charged = charged % attempt;
        forged!(
            full(),
            attempt = attempt,
            charged = charged,
            lost = lost % (attempt - charged),
            msg_seq = Some(seq),
            delivery = Some(DeliveryOrdinal { created: at(i64::from(created)), count }),
            token = Some(Token::from_random(fence)),
            write = WriteId::from_random(write)
        )
    }
}

prop_compose! {
    fn records()(numbers in numbers(), state in prop::sample::select(states()), id in "[A-Za-z0-9_-]{1,64}",
                 task in "[a-z0-9][a-z0-9-]{0,20}\\.[a-zA-Z0-9]{1,20}", queue in "[a-z0-9][a-z0-9-]{0,20}",
                 reason in "\\PC*", denied in prop::collection::vec("\\PC*", 0..3), stop in 0..10_000_i64,
                 host: bool, revoke: bool) -> Record {
        let host = numbers.host.clone().filter(|_| host);
        let record = forged!(
            numbers,
            task = TaskName::parse(&task).unwrap(),
            id = JobId::parse(&id).unwrap(),
            queue = QueueName::parse(&queue).unwrap(),
            host = host,
            revoke = revoke.then(|| Revoke { reason, stop_at: at(stop) }),
            denied = denied,
            state = state.clone()
        );
        if matches!(state, JobState::Pending { .. }) { unclaimed(record) } else { record }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_reads_back(record in records()) {
        prop_assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
    }

    #[test]
    fn any_bytes_are_read_or_refused(record in records(), at: prop::sample::Index, byte: u8) {
        let mut bytes = record.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Record::from_bytes(&bytes) {
            prop_assert_eq!(Record::from_bytes(&read.to_bytes()).unwrap(), read);
        }
    }
}
