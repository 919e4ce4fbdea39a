//! One snapshot of the whole table of the state machine: what each writer may make of each state.

use super::sample::{
    at, claim, failure, finish, progress, retry, revoked, started, submission, success, token,
};
use super::{Claim, IllegalTransition, JobSpec, Transition, WriteIntent, Writer, transition};
use crate::digest::Digest;
use crate::ids::StateName;
use crate::machine::sample::forged;
use crate::record::{
    BlobRef, DeliveryOrdinal, End, ErrorKind, JobState, Record, Revoke, RunningLabel, WriteId,
};
use crate::timestamp::Timestamp;

/// The time of all writers' clocks, in seconds.
const NOW: i64 = 100;
/// The number of a claim that is not the writer's.
const OTHER_CLAIM: u64 = 7;

const WRITERS: [(&str, Writer); 4] = [
    ("owner", Writer::Owner(crate::record::Token::from_random(1))),
    ("host", Writer::Host),
    ("client", Writer::Client),
    ("reconciler", Writer::Reconciler),
];

fn intent(transition: Transition, writer: Writer) -> WriteIntent {
    WriteIntent { transition, writer, now: at(NOW), write: WriteId::from_random(9) }
}

fn pending() -> Record {
    transition(None, &intent(Transition::Submit(submission()), Writer::Client)).unwrap()
}

fn running(claim: u64, label: RunningLabel) -> Record {
    forged!(started(), token = Some(token(claim)), state = JobState::Running(label))
}

fn retrying(not_before: Timestamp) -> Record {
    forged!(started(), state = JobState::Retry { not_before }, charged = 1, max_attempts = Some(3))
}

fn ended(end: End) -> Record {
    forged!(started(), state = JobState::Ended { end, finished_at: at(NOW) })
}

fn with_revoke(record: Record) -> Record {
    forged!(record, revoke = Some(Revoke { reason: "unwanted".to_owned(), stop_at: at(NOW) }))
}

/// Returns a record that expires at this very moment.
fn expired(record: Record) -> Record {
    forged!(record, expires_at = Some(at(NOW)))
}

fn states() -> Vec<(&'static str, Option<Record>)> {
    let due = at(NOW + 1);
    let custom = RunningLabel::Custom(StateName::parse("HALFWAY").unwrap());
    let scheduled = forged!(pending(), state = JobState::Pending { not_before: Some(at(NOW + 60)) });
    let cases = [
        ("PENDING(0)", pending()),
        ("PENDING(0), scheduled in 60 s", scheduled),
        ("PENDING(0), revoke set", with_revoke(pending())),
        ("PENDING(0), expired", expired(pending())),
        ("STARTED(1), mine", started()),
        ("STARTED(1), another's", running(OTHER_CLAIM, RunningLabel::Started)),
        ("STARTED(1), mine, charged 1 of 2, lost 1 of 1", forged!(started(), charged = 1, lost = 1)),
        ("STARTED(1), mine, charged 2 of 2", forged!(started(), charged = 2)),
        ("STARTED(1), mine, max_attempts unset", forged!(started(), charged = 2, max_attempts = None)),
        ("STARTED(1), mine, revoke set", with_revoke(started())),
        ("STARTED(1), another's, revoke set", with_revoke(running(OTHER_CLAIM, RunningLabel::Started))),
        ("STARTED(1), mine, expired", expired(started())),
        ("PENDING(1), mine", running(1, RunningLabel::Pending)),
        ("HALFWAY(1), mine", running(1, custom)),
        ("RETRY(1), mine, due in 1.001 s", retrying(Timestamp::from_unix_ms(due.unix_ms() + 1))),
        ("RETRY(1), mine, due in 1 s", retrying(due)),
        ("RETRY(1), another's", forged!(retrying(due), token = Some(token(OTHER_CLAIM)))),
        ("RETRY(1), mine, revoke set", with_revoke(retrying(due))),
        (
            "RETRY(1), another's, revoke set",
            with_revoke(forged!(retrying(due), token = Some(token(OTHER_CLAIM)))),
        ),
        ("RETRY(1), mine, expired", expired(retrying(due))),
        ("SUCCESS(1)", ended(success())),
        ("FAILURE(1)", ended(failure(ErrorKind::Failed))),
        ("REVOKED(1)", with_revoke(ended(End::Revoked))),
    ];
    let some = cases.into_iter().map(|(name, record)| (name, Some(record)));
    std::iter::once(("absent", None)).chain(some).collect()
}

fn claims() -> [(&'static str, Claim); 7] {
    let of_consumer = |created, count| DeliveryOrdinal { created: at(created), count };
    [
        ("claim: newer delivery", claim(2)),
        ("claim: same delivery", Claim { delivery: of_consumer(0, 1), ..claim(2) }),
        ("claim: newer consumer", Claim { delivery: of_consumer(5, 1), ..claim(2) }),
        ("claim: older consumer", Claim { delivery: of_consumer(-5, 9), ..claim(2) }),
        ("claim: other message", Claim { msg_seq: 2, ..claim(2) }),
        (
            "claim: other message, adopted",
            Claim { msg_seq: 2, delivery: of_consumer(0, 1), adopt: true, ..claim(2) },
        ),
        ("claim: newer delivery, token of the last", Claim { token: token(1), ..claim(2) }),
    ]
}

fn transitions() -> Vec<(&'static str, Transition)> {
    let blob = BlobRef { name: "b".to_owned(), digest: Digest::from_bytes([0; 32]), bytes: 1 };
    let stop =
        |stop_at| Transition::RequestRevoke(Revoke { reason: "stop".to_owned(), stop_at: at(stop_at) });
    let expired_job = JobSpec { expires_at: Some(at(NOW)), ..submission() };
    let unrecorded = |job, end| Transition::EndUnrecorded { job, end, reason: "unwanted".to_owned() };
    let mut transitions = vec![("submit", Transition::Submit(submission())), ("touch", Transition::Touch)];
    transitions.extend(claims().map(|(name, claim)| (name, Transition::Claim(Box::new(claim)))));
    transitions.extend([
        ("progress", progress()),
        ("checkpoint", Transition::Checkpoint(blob)),
        ("retry, charged", retry(at(NOW + 9), true)),
        ("retry, hand-off", retry(at(NOW), false)),
        ("finish: success", finish(success())),
        ("finish: Failed", finish(failure(ErrorKind::Failed))),
        ("finish: WorkerLost", finish(failure(ErrorKind::WorkerLost))),
        ("finish: Lost", finish(failure(ErrorKind::Lost))),
        ("finish: NotPublished", finish(failure(ErrorKind::NotPublished))),
        ("finish: revoked", finish(End::Revoked)),
        ("revoked", revoked()),
        ("request revoke, stop now", stop(NOW)),
        ("request revoke, stop earlier", stop(NOW - 1)),
        ("end unrecorded: BadJob", unrecorded(submission(), failure(ErrorKind::BadJob))),
        ("end unrecorded: Lost", unrecorded(submission(), failure(ErrorKind::Lost))),
        ("end unrecorded: success", unrecorded(submission(), success())),
        ("end unrecorded: revoked", unrecorded(submission(), End::Revoked)),
        ("end unrecorded: revoked, expired", unrecorded(expired_job, End::Revoked)),
    ]);
    transitions
}

/// Describes the result of a write: the state that follows and what changes in the protocol's own fields, or
/// why nothing follows.
fn cell(before: Option<&Record>, after: Result<Record, IllegalTransition>) -> String {
    let after = match after {
        Ok(after) => after,
        Err(illegal) => return format!("- {illegal}"),
    };
    let mut cell = format!("{}({})", after.label(), after.attempt);
    if before.and_then(|before| before.token) != after.token {
        cell.push_str(" new token");
    }
    for (name, old, new) in [
        ("charged", before.map_or(0, |before| before.charged), after.charged),
        ("lost", before.map_or(0, |before| before.lost), after.lost),
    ] {
        if new != old {
            cell.push_str(&format!(" {name} {new}"));
        }
    }
    match (&after.revoke, before.and_then(|before| before.revoke.as_ref())) {
        (Some(is), was) if was != Some(is) => cell.push_str(&format!(" revoke at {}", is.stop_at)),
        (Some(_) | None, _) => {}
    }
    cell
}

/// Returns the rows of a state and a transition, each with the writers that get this result.
fn rows(before: Option<&Record>, intended: &Transition) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for (name, writer) in WRITERS {
        let cell = cell(before, transition(before, &intent(intended.clone(), writer)));
        match rows.iter_mut().find(|(_, other)| *other == cell) {
            Some((writers, _)) => *writers = format!("{writers} {name}"),
            None => rows.push((name.to_owned(), cell)),
        }
    }
    rows
}

#[test]
fn each_writer_may_make_of_each_state_what_the_protocol_says() {
    let all = WRITERS.map(|(name, _)| name).join(" ");
    let mut table = String::new();
    for (state, record) in states() {
        table.push_str(&format!("== {state}\n"));
        for (name, intended) in transitions() {
            for (writers, cell) in rows(record.as_ref(), &intended) {
                let writers = if writers == all { "all" } else { &writers };
                table.push_str(&format!("{name:<40} | {writers:<23} | {cell}\n"));
            }
        }
    }
    insta::assert_snapshot!(table);
}
