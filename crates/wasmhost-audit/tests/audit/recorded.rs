//! The recorder on a real nats-server.

mod ending;
mod missed;

use std::time::Duration;

use wasmhost_audit::{Answer, Capture, Entry, Fault, Marker, Recorder, Revision, Submit, Verdict, check};
use wasmhost_nats::{Records, random_token};
use wasmhost_protocol::ids::JobKey;
use wasmhost_testing::records::{claimed_after, key, pending, retried, succeeded};
use wasmhost_testing::{Bench, within};

/// How long nothing may happen in a system that counts as idle.
const STILL: Duration = Duration::from_millis(300);

/// Writes all records of a job that is submitted, claimed, retried, claimed again and ended. It returns the revisions in
/// order.
async fn live(records: &Records, key: &JobKey) -> Vec<u64> {
    let one = random_token();
    let two = random_token();
    let waiting = pending(key);
    let first = claimed_after(Some(&waiting), key, one, 1);
    let retry = retried(&first, one);
    let second = claimed_after(Some(&retry), key, two, 2);
    let end = succeeded(&second, two);
    let mut revisions = Vec::new();
    for record in [waiting, first, retry, second, end] {
        let expected = revisions.last().copied().unwrap_or(0);
        revisions.push(records.compare_and_set(key, &record, expected, None).await.expect("it lands"));
    }
    revisions
}

fn accepted(key: &JobKey) -> Entry {
    Entry::Submit(Submit { key: key.clone(), answer: Answer::Accepted, at: None, args_digest: None })
}

fn revisions(capture: &Capture) -> Vec<&Revision> {
    capture
        .entries
        .iter()
        .filter_map(|entry| if let Entry::Revision(revision) = entry { Some(revision) } else { None })
        .collect()
}

#[tokio::test]
async fn a_recorded_run_is_proven() {
    let bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    let records = Records::new(&bench.connection);
    for text in ["work.run.1", "work.run.2"] {
        let key = key(text);
        recorder.note(accepted(&key));
        let written = live(&records, &key).await;
        let at = wasmhost_nats::now();
        recorder.note(Entry::Fault(Fault { fault: "pause".to_owned(), at, host: None, key: None }));
        assert_eq!(written.len(), 5);
    }
    within("an idle system", recorder.idle(STILL)).await;
    let capture = recorder.finish().await;
    let report = check(&capture);
    assert_eq!(report.verdict, Verdict::Proven, "{report}\n{}", capture.to_lines());
    assert_eq!((report.jobs, report.revisions, report.claims, report.takeovers), (2, 10, 4, 2), "{report}");
    assert_eq!(report.ends["SUCCESS"], 2);
    assert_eq!(Capture::parse("recorded", &capture.to_lines()).unwrap(), capture);
}

#[tokio::test]
async fn what_another_client_writes_over_an_end_is_seen() {
    let bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    let key = key("work.run.1");
    let written = live(&Records::new(&bench.connection), &key).await;
    // A put without a comparison, which the protocol forbids.
    let subject = bench.connection.names.state_subject(&key);
    let value = claimed_after(None, &key, random_token(), 1).to_bytes();
    bench.jetstream.publish(subject, value.into()).await.unwrap().await.unwrap();
    recorder.note(accepted(&key));
    let report = check(&recorder.finish().await);
    assert_eq!(report.verdict, Verdict::Broken, "{report}");
    let last = *written.last().unwrap();
    assert_eq!(report.violations[0].revisions, [last, last + 1], "{report}");
}

#[tokio::test]
async fn both_connections_and_the_bucket_tell_of_a_revision_once() {
    let bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    let records = Records::new(&bench.connection);
    let key = key("work.run.1");
    let written = live(&records, &key).await;
    let ttl = Some(Duration::from_secs(1));
    let again = JobKey::parse("work.run.2").unwrap();
    let token = random_token();
    let first =
        records.compare_and_set(&again, &claimed_after(None, &again, token, 1), 0, None).await.unwrap();
    let end = succeeded(&claimed_after(None, &again, token, 1), token);
    let end = records.compare_and_set(&again, &end, first, ttl).await.unwrap();
    let marker = bench.marker(&again, end).await;
    assert!(records.delete(&key, *written.last().unwrap()).await.unwrap());
    let capture = recorder.finish().await;
    let seen: Vec<_> = revisions(&capture).iter().map(|revision| revision.revision).collect();
    assert_eq!(seen, (1..=9).collect::<Vec<_>>());
    let of = |number: u64| revisions(&capture)[usize::try_from(number - 1).unwrap()];
    assert_eq!((of(2).previous, of(marker).previous), (Some(1), Some(end)));
    assert_eq!((of(marker).marker, of(9).marker), (Some(Marker::MaxAge), Some(Marker::Delete)));
    assert_eq!(of(2).record["state"], "STARTED");
}

#[tokio::test]
async fn an_effect_in_a_log_line_is_recorded() {
    let bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    let subject = bench.connection.names.logs_subject(&key("work.run.1"));
    for line in [
        r#"{"at":"2026-01-31T12:00:00.000Z","attempt":2,"level":"info","message":"effect","fields":{"effect":"start"}}"#,
        r#"{"at":"2026-01-31T12:00:00.000Z","attempt":2,"level":"info","message":"another","fields":null}"#,
        "no JSON",
    ] {
        bench.nats.publish(subject.clone(), line.into()).await.unwrap();
    }
    bench.round_trip().await;
    let capture = recorder.finish().await;
    let effects: Vec<_> = capture.entries.iter().filter(|entry| matches!(entry, Entry::Effect(_))).collect();
    let [Entry::Effect(effect)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((effect.key.as_str(), effect.attempt, effect.effect.as_str()), ("work.run.1", 2, "start"));
}
