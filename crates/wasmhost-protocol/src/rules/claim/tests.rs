//! Decisions about one delivery.

use super::*;
use crate::machine::sample::{at, claim, failure, forged, started, success, token};
use crate::record::{DeliveryOrdinal, JobState, Revoke};

const NOW: i64 = 1_000;

fn body() -> Digest {
    Digest::from_bytes([7; 32])
}

fn input<'a>(stored: &'a StoredEntry, claim: &'a Claim) -> ClaimInput<'a> {
    ClaimInput {
        stored,
        trusted_revision: None,
        claim,
        revision: None,
        stored_at: at(500),
        is_of_body: &|digest| digest == body(),
        now: at(NOW),
        bucket_created: Timestamp::from_unix_ms(i64::MIN),
        write: WriteId::from_random(9),
        result_ttl: Duration::from_secs(100),
        unreadable: None,
    }
}

fn entry(record: Record) -> StoredEntry {
    StoredEntry::Record { record: Box::new(record), revision: 7 }
}

/// Describes a decision, with the state that is to be written.
fn describe(decision: &ClaimDecision) -> String {
    match decision {
        ClaimDecision::Claim { record, expected } => {
            format!("claim {} lost {} over {expected}", record.attempt, record.lost)
        }
        ClaimDecision::End { record, expected } => {
            if let JobState::Ended { end: End::Failure(error), .. } = &record.state {
                return format!("{} over {expected}", error.kind.as_str());
            }
            format!("{} over {expected}", record.label())
        }
        ClaimDecision::Ack => "ack".to_owned(),
        ClaimDecision::Delay(delay) => format!("delay {} s", delay.as_secs()),
        ClaimDecision::LookUpMessage { msg_seq } => format!("look up {msg_seq}"),
        ClaimDecision::Stale { revision } => format!("stale {revision}"),
        ClaimDecision::DeadLetter { kind, .. } => kind.as_str().to_owned(),
    }
}

/// Describes the decision about a delivery.
fn decide(input: &ClaimInput<'_>) -> String {
    describe(&decide_claim(input))
}

/// Describes the decision about delivery `count` where `record` is stored.
fn decide_over(record: Record, count: u64) -> String {
    decide(&input(&entry(record), &claim(count)))
}

fn retrying(due: i64) -> Record {
    forged!(started(), state = JobState::Retry { not_before: at(due) }, charged = 1, max_attempts = Some(3))
}

#[test]
fn a_newer_delivery_takes_a_running_job_over_and_an_older_one_walks_away() {
    assert_eq!(decide_over(started(), 2), "claim 2 lost 1 over 7");
    assert_eq!(decide_over(started(), 1), "stale 7");
    let created = |second| Claim { delivery: DeliveryOrdinal { created: at(second), count: 1 }, ..claim(9) };
    assert_eq!(decide(&input(&entry(started()), &created(-1))), "stale 7", "an older consumer");
    assert_eq!(
        decide(&input(&entry(started()), &created(1))),
        "claim 2 lost 0 over 7",
        "a newer consumer: the owner may be healthy"
    );
}

#[test]
fn what_cannot_go_on_is_ended_by_the_claiming_host() {
    assert_eq!(decide_over(forged!(started(), lost = 1), 2), "WorkerLost over 7");
    assert_eq!(decide_over(forged!(started(), charged = 2), 2), "Exhausted over 7");
    let revoke = Some(Revoke { reason: "unwanted".to_owned(), stop_at: at(0) });
    assert_eq!(
        decide_over(forged!(started(), revoke = revoke, lost = 1), 2),
        "REVOKED over 7",
        "before WorkerLost"
    );
    assert_eq!(decide_over(forged!(started(), expires_at = Some(at(NOW))), 2), "REVOKED over 7");
    let unreadable = Some("no job");
    assert_eq!(decide(&ClaimInput { unreadable, ..input(&entry(started()), &claim(2)) }), "BadJob over 7");
    assert_eq!(decide(&ClaimInput { unreadable, ..input(&StoredEntry::Absent, &claim(2)) }), "BadJob over 0");
}

#[test]
fn an_ended_job_is_only_acknowledged() {
    for end in [success(), failure(ErrorKind::Failed), End::Revoked] {
        let ended = forged!(started(), state = JobState::Ended { end, finished_at: at(1) });
        assert_eq!(decide_over(ended, 99), "ack");
    }
}

#[test]
fn a_retry_waits_until_it_is_due_however_often_it_is_delivered() {
    assert_eq!(decide_over(retrying(NOW + 60), 2), "delay 60 s");
    assert_eq!(decide_over(retrying(NOW + 60), 90), "delay 60 s");
    assert_eq!(decide_over(retrying(NOW + 1), 2), "claim 2 lost 0 over 7");
}

#[test]
fn a_message_that_is_delivered_too_often_without_a_claim_is_poison() {
    let pending = || forged!(started(), attempt = 0, token = None, delivery = None, msg_seq = None);
    let pending = || forged!(pending(), state = JobState::Pending { not_before: None });
    assert_eq!(decide_over(pending(), 20), "claim 1 lost 0 over 7");
    assert_eq!(decide_over(pending(), 21), "Poison over 7");
    assert_eq!(decide_over(started(), 21), "claim 2 lost 1 over 7", "counted from the last claim");
    assert_eq!(decide_over(started(), 22), "Poison over 7");
    assert_eq!(decide(&input(&StoredEntry::Absent, &claim(21))), "Poison over 0");
    let suspect = forged!(started(), lost = 1);
    let patient = Claim { max_lost: 3, ..claim(90) };
    assert_eq!(decide(&input(&entry(suspect), &patient)), "claim 2 lost 2 over 7", "it waited for its turn");
}

#[test]
fn another_message_of_the_key_is_looked_up_before_an_adoption() {
    let other = Claim { msg_seq: 2, token: token(9), ..claim(1) };
    assert_eq!(decide(&input(&entry(started()), &other)), "look up 1");
    let adopted = Claim { adopt: true, ..other };
    assert_eq!(decide(&input(&entry(started()), &adopted)), "claim 2 lost 1 over 7");
}

#[test]
fn records_that_this_host_cannot_read_are_left_alone() {
    let unreadable = StoredEntry::Unreadable { revision: 3, why: "not JSON".to_owned() };
    assert_eq!(decide(&input(&unreadable, &claim(1))), "UnreadableRecord");
    let newer = StoredEntry::Newer { revision: 3, version: 2 };
    assert_eq!(decide(&input(&newer, &claim(99))), "delay 30 s", "never poison");
    let mismatch = forged!(started(), args_digest = Some(Digest::from_bytes([8; 32])));
    assert_eq!(decide_over(mismatch, 2), "ArgumentsMismatch");
    assert_eq!(decide_over(forged!(started(), args_digest = Some(body())), 2), "claim 2 lost 1 over 7");
}

#[test]
fn an_expired_id_tells_old_messages_from_new_ones() {
    let marker = |expired, second| StoredEntry::Deleted(Marker { revision: 4, at: at(second), expired });
    assert_eq!(decide(&input(&marker(true, 601), &claim(1))), "ack", "stored before the run had ended");
    assert_eq!(decide(&input(&marker(true, 600), &claim(1))), "claim 1 lost 0 over 4");
    assert_eq!(
        decide(&input(&marker(false, 601), &claim(1))),
        "claim 1 lost 0 over 4",
        "forgotten by a client, and no revision tells whether before"
    );
    let again = entry(forged!(started(), after = Some(4), submitted_at = at(500)));
    let newer = claim(2);
    let sent =
        |revision, second| decide(&ClaimInput { revision, stored_at: at(second), ..input(&again, &newer) });
    assert_eq!(sent(Some(3), 900), "ack");
    assert_eq!(sent(Some(5), 100), "claim 2 lost 1 over 7");
    assert_eq!(sent(None, 499), "ack");
    assert_eq!(sent(None, 500), "claim 2 lost 1 over 7");
}

#[test]
fn a_message_that_names_a_revision_below_the_marker_belongs_to_the_deleted_job() {
    let sent = |expired, revision| {
        let gone = StoredEntry::Deleted(Marker { revision: 4, at: at(501), expired });
        decide(&ClaimInput { revision: Some(revision), ..input(&gone, &claim(1)) })
    };
    assert_eq!(sent(false, 3), "ack", "forgotten by a client");
    assert_eq!(sent(true, 3), "ack", "expired sooner than a result does: the job never ran");
    assert_eq!(sent(true, 5), "claim 1 lost 0 over 4");
}

#[test]
fn a_message_whose_record_is_gone_for_longer_than_any_marker_is_not_run() {
    let seconds_ago = |age| NOW - age;
    let sent = |revision, age| {
        let claim = claim(2);
        let message =
            ClaimInput { revision, stored_at: at(seconds_ago(age)), ..input(&StoredEntry::Absent, &claim) };
        decide(&message)
    };
    let claim = claim(2);
    let message_of_another_bucket = ClaimInput {
        revision: Some(3),
        stored_at: at(seconds_ago(9_999)),
        bucket_created: at(seconds_ago(5_000)),
        ..input(&StoredEntry::Absent, &claim)
    };
    assert_eq!(decide(&message_of_another_bucket), "claim 1 lost 0 over 0", "the bucket was recreated since");
    assert_eq!(sent(Some(3), 3_601), "ack", "revoked, say, while nobody served its queue");
    assert_eq!(sent(Some(3), 3_599), "claim 1 lost 0 over 0", "the server lost its record");
    assert_eq!(sent(None, 9_999), "claim 1 lost 0 over 0", "a raw job's first record");
}

#[test]
fn a_scheduled_job_is_not_claimed_before_its_time() {
    let state = JobState::Pending { not_before: Some(at(NOW + 60)) };
    let scheduled =
        forged!(started(), state = state, attempt = 0, token = None, delivery = None, msg_seq = None);
    assert_eq!(decide_over(scheduled.clone(), 1), "delay 60 s", "a raw message under its id");
    assert_eq!(decide_over(scheduled.clone(), 90), "delay 60 s", "and never poison");
    let state = JobState::Pending { not_before: Some(Timestamp::from_unix_ms(i64::MAX)) };
    assert_eq!(
        decide_over(forged!(scheduled, state = state), 1),
        "delay 86400 s",
        "no delay is longer than a day"
    );
}

#[test]
fn a_trusted_revision_is_claimed_without_a_read() {
    let stored = entry(started());
    let first = claim(1);
    let trusted = ClaimInput { trusted_revision: Some(5), ..input(&stored, &first) };
    assert_eq!(decide(&trusted), "claim 1 lost 0 over 5");
    let mut late = claim(1);
    late.job.expires_at = Some(at(NOW));
    assert_eq!(decide(&ClaimInput { trusted_revision: Some(5), ..input(&stored, &late) }), "REVOKED over 5");
}
