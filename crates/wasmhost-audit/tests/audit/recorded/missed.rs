//! Recordings that lack something: a connection was lost, the recorder was away, or the server is gone.

use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmhost_audit::{Entry, Fault, Gap, Recorder, Verdict, check};
use wasmhost_nats::{Connection, OwnedWrite, Records, Written, random_token};
use wasmhost_testing::records::{claimed_after, key, succeeded};
use wasmhost_testing::{Bench, Options, user, within};

use super::{STILL, accepted, live, revisions};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_recorded_on() {
    let mut bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    let records = Records::new(&bench.connection);
    live(&records, &key("work.run.1")).await;
    bench.server.kill().unwrap();
    tokio::task::block_in_place(|| bench.server.restart().unwrap());
    // It is written as soon as the server answers, perhaps before the recorder is back; the bucket still has it later.
    let claim = key("work.run.2");
    let token = random_token();
    let record = claimed_after(None, &claim, token, 1);
    records.write(&claim, &record, 0, None).await.unwrap();
    recorder.note(accepted(&key("work.run.1")));
    within("an idle system", recorder.idle(STILL)).await;
    let report = check(&recorder.finish().await);
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
    assert_eq!(report.revisions, 6, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_whose_server_is_gone_proves_nothing() {
    let mut bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    live(&Records::new(&bench.connection), &key("work.run.1")).await;
    recorder.note(accepted(&key("work.run.1")));
    bench.server.kill().unwrap();
    let report = check(&within("the end of a recording", recorder.finish()).await);
    assert!(matches!(report.verdict, Verdict::NotProven(_)), "{report}");
    assert!(report.gaps.contains(&Gap::NoSpan), "{report}");
}

/// A recorder that receives no events, like one that was away.
async fn deaf() -> (Bench, Recorder) {
    let config = r#"authorization { users: [
        { user: all, password: a }
        { user: deaf, password: d, permissions: { subscribe: { deny: ["wasmhost.events.>"] } } }
    ] }"#;
    let bench = Bench::new_as(&Options::default().extra_config(config), user("all", "a")).await;
    let mut config = bench.config.clone();
    config.credentials = user("deaf", "d");
    let recorder = Recorder::open(&config).await.expect("it records");
    (bench, recorder)
}

#[tokio::test]
async fn what_was_missed_and_still_stands_is_read_from_the_bucket() {
    let (bench, recorder) = deaf().await;
    let records = Records::new(&bench.connection);
    let key = key("work.run.1");
    let record = claimed_after(None, &key, random_token(), 1);
    assert_eq!(records.compare_and_set(&key, &record, 0, None).await.unwrap(), 1);
    let capture = recorder.finish().await;
    let seen: Vec<_> =
        revisions(&capture).iter().map(|revision| (revision.revision, revision.previous)).collect();
    assert_eq!(seen, [(1, None)]);
    assert_eq!(check(&capture).gaps, [Gap::Nothing]);
}

#[tokio::test]
async fn what_was_missed_and_written_over_stays_a_gap() {
    let (bench, recorder) = deaf().await;
    let key = key("work.run.1");
    recorder.note(accepted(&key));
    assert_eq!(live(&Records::new(&bench.connection), &key).await.last(), Some(&5));
    let report = check(&recorder.finish().await);
    assert!(matches!(report.verdict, Verdict::NotProven(_)), "{report}");
    let before = Gap::Revision { key, before: 5, missing: None };
    assert_eq!(report.gaps, [Gap::Unseen { first: 1, last: 4 }, before], "{report}");
}

/// Writes the records of jobs one after the other, and counts the jobs that have ended.
async fn write_jobs(records: Records, writer: u64, ended: watch::Sender<u64>) {
    for job in 0..JOBS / WRITERS {
        let key = key(&format!("work.run.{writer}-{job}"));
        let token = random_token();
        let claim = claimed_after(None, &key, token, 1);
        let Written::Stored(first) = records.write(&key, &claim, 0, None).await.expect("it is written")
        else {
            panic!("{key}")
        };
        let end = succeeded(&claim, token);
        let written = records.write_owned(&key, &end, first, None, token).await.expect("it is written");
        assert!(matches!(written, OwnedWrite::Stored(_)), "{written:?}");
        ended.send_modify(|count| *count += 1);
    }
}

/// Jobs of the run below.
const JOBS: u64 = 1600;

/// Tasks that write at the same time.
const WRITERS: u64 = 8;

/// How often the server is killed.
const KILLS: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_under_load_hides_is_named_to_the_last_revision() {
    let mut bench = Bench::new().await;
    let recorder = Recorder::open(&bench.config).await.unwrap();
    let ended = watch::Sender::new(0);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let records = Records::new(&Connection::open(&bench.config).await.unwrap());
        writers.spawn(write_jobs(records, writer, ended.clone()));
    }
    for kill in 1..=KILLS {
        ended.subscribe().wait_for(|count| *count >= JOBS * kill / (KILLS + 1)).await.unwrap();
        let at = wasmhost_nats::now();
        bench.server.kill().unwrap();
        recorder.note(Entry::Fault(Fault { fault: "server-kill".to_owned(), at, host: None, key: None }));
        assert!(*ended.borrow() < JOBS, "it is killed under load");
        tokio::task::block_in_place(|| bench.server.restart().unwrap());
    }
    writers.join_all().await;
    let report = check(&recorder.finish().await);
    assert_eq!(report.violations, [], "{report}");
    let unseen: u64 = report
        .gaps
        .iter()
        .map(|gap| if let Gap::Unseen { first, last } = gap { last - first + 1 } else { 0 })
        .sum();
    // Each job is written twice, whatever was answered.
    assert_eq!(report.revisions as u64 + unseen, 2 * JOBS, "{report}");
    assert!(unseen < JOBS / 10, "{report}");
}
