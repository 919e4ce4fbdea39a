//! The decision of one delivery, case by case.

use super::*;
use crate::machine::sample::forged;
use crate::machine::sample::{at, claim, failure, started, success, token};
use crate::record::{DeliveryOrdinal, JobState, Revoke};

const NOW: i64 = 1_000;

fn body() -> Digest {
    Digest::from_bytes([7; 32])
}

fn case<'a>(stored: &'a StoredEntry, claim: &'a Claim) -> ClaimInput<'a> {
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

fn stands(record: Record) -> StoredEntry {
    StoredEntry::Record { record: Box::new(record), revision: 7 }
}

/// The decision in a word, with the state that is to be written.
fn word(decision: &ClaimDecision) -> String {
    match decision {
        ClaimDecision::Claim { record, expected } => {
            format!("claim {} lost {} over {expected}", record.attempt, record.lost)
        }
        ClaimDecision::End { record, expected } => match &record.stage {
            JobState::Ended { end: End::Failure(error), .. } => {
                format!("{} over {expected}", error.kind.as_str())
            }
            _ => format!("{} over {expected}", record.state()),
        },
        ClaimDecision::Ack => "ack".to_owned(),
        ClaimDecision::Delay(delay) => format!("rest {} s", delay.as_secs()),
        ClaimDecision::LookUpMessage { msg_seq } => format!("look at {msg_seq}"),
        ClaimDecision::Stale { revision } => format!("stale {revision}"),
        ClaimDecision::DeadLetter { reason, .. } => (*reason).to_owned(),
    }
}

/// The decision of delivery `count` over `record`.
fn of(record: Record, count: u64) -> String {
    word(&decide_claim(&case(&stands(record), &claim(count))))
}

fn retrying(due: i64) -> Record {
    forged!(started(), stage = JobState::Retry { not_before: at(due) }, charged = 1, max_attempts = Some(3))
}

#[test]
fn a_newer_delivery_takes_a_running_job_over_and_an_older_one_walks_away() {
    assert_eq!(of(started(), 2), "claim 2 lost 1 over 7");
    assert_eq!(of(started(), 1), "stale 7");
    let created = |second| Claim { delivery: DeliveryOrdinal { created: at(second), count: 1 }, ..claim(9) };
    assert_eq!(word(&decide_claim(&case(&stands(started()), &created(-1)))), "stale 7", "an older consumer");
    assert_eq!(
        word(&decide_claim(&case(&stands(started()), &created(1)))),
        "claim 2 lost 0 over 7",
        "a newer consumer: the owner may be healthy"
    );
}

#[test]
fn what_cannot_go_on_is_ended_by_the_claiming_host() {
    assert_eq!(of(forged!(started(), lost = 1), 2), "WorkerLost over 7");
    assert_eq!(of(forged!(started(), charged = 2), 2), "Exhausted over 7");
    let revoke = Some(Revoke { reason: "unwanted".to_owned(), stop_at: at(0) });
    assert_eq!(of(forged!(started(), revoke = revoke, lost = 1), 2), "REVOKED over 7", "before WorkerLost");
    assert_eq!(of(forged!(started(), expires_at = Some(at(NOW))), 2), "REVOKED over 7");
    let unreadable = Some("no job");
    assert_eq!(
        word(&decide_claim(&ClaimInput { unreadable, ..case(&stands(started()), &claim(2)) })),
        "BadJob over 7"
    );
    assert_eq!(
        word(&decide_claim(&ClaimInput { unreadable, ..case(&StoredEntry::Absent, &claim(2)) })),
        "BadJob over 0"
    );
}

#[test]
fn an_ended_job_is_only_acknowledged() {
    for end in [success(), failure(ErrorKind::Failed), End::Revoked] {
        let ended = forged!(started(), stage = JobState::Ended { end, finished_at: at(1) });
        assert_eq!(of(ended, 99), "ack");
    }
}

#[test]
fn a_retry_rests_until_it_is_due_however_often_it_is_delivered() {
    assert_eq!(of(retrying(NOW + 60), 2), "rest 60 s");
    assert_eq!(of(retrying(NOW + 60), 90), "rest 60 s");
    assert_eq!(of(retrying(NOW + 1), 2), "claim 2 lost 0 over 7");
}

#[test]
fn a_message_that_is_delivered_too_often_without_a_claim_is_poison() {
    let pending = || forged!(started(), attempt = 0, token = None, delivery = None, msg_seq = None);
    let pending = || forged!(pending(), stage = JobState::Pending { not_before: None });
    assert_eq!(of(pending(), 20), "claim 1 lost 0 over 7");
    assert_eq!(of(pending(), 21), "Poison over 7");
    assert_eq!(of(started(), 21), "claim 2 lost 1 over 7", "counted from the last claim");
    assert_eq!(of(started(), 22), "Poison over 7");
    assert_eq!(word(&decide_claim(&case(&StoredEntry::Absent, &claim(21)))), "Poison over 0");
    let suspect = forged!(started(), lost = 1);
    let patient = Claim { max_lost: 3, ..claim(90) };
    assert_eq!(
        word(&decide_claim(&case(&stands(suspect), &patient))),
        "claim 2 lost 2 over 7",
        "it waited for its turn"
    );
}

#[test]
fn another_message_of_the_key_is_looked_at_before_it_is_adopted() {
    let other = Claim { msg_seq: 2, token: token(9), ..claim(1) };
    assert_eq!(word(&decide_claim(&case(&stands(started()), &other))), "look at 1");
    let adopted = Claim { adopt: true, ..other };
    assert_eq!(word(&decide_claim(&case(&stands(started()), &adopted))), "claim 2 lost 1 over 7");
}

#[test]
fn records_that_this_host_cannot_read_are_left_alone() {
    let unreadable = StoredEntry::Unreadable { revision: 3, why: "not JSON".to_owned() };
    assert_eq!(word(&decide_claim(&case(&unreadable, &claim(1)))), "UnreadableRecord");
    let newer = StoredEntry::Newer { revision: 3, version: 2 };
    assert_eq!(word(&decide_claim(&case(&newer, &claim(99)))), "rest 30 s", "never poison");
    let mismatch = forged!(started(), args_digest = Some(Digest::from_bytes([8; 32])));
    assert_eq!(of(mismatch, 2), "ArgumentsMismatch");
    assert_eq!(of(forged!(started(), args_digest = Some(body())), 2), "claim 2 lost 1 over 7");
}

#[test]
fn an_expired_id_tells_old_messages_from_new_ones() {
    let marker = |expired, second| StoredEntry::Deleted(Marker { revision: 4, at: at(second), expired });
    assert_eq!(
        word(&decide_claim(&case(&marker(true, 601), &claim(1)))),
        "ack",
        "stored before the run had ended"
    );
    assert_eq!(word(&decide_claim(&case(&marker(true, 600), &claim(1)))), "claim 1 lost 0 over 4");
    assert_eq!(
        word(&decide_claim(&case(&marker(false, 601), &claim(1)))),
        "claim 1 lost 0 over 4",
        "forgotten by a client, and no revision tells whether before"
    );
    let again = stands(forged!(started(), after = Some(4), submitted_at = at(500)));
    let newer = claim(2);
    let sent = |revision, second| {
        word(&decide_claim(&ClaimInput { revision, stored_at: at(second), ..case(&again, &newer) }))
    };
    assert_eq!(sent(Some(3), 900), "ack");
    assert_eq!(sent(Some(5), 100), "claim 2 lost 1 over 7");
    assert_eq!(sent(None, 499), "ack");
    assert_eq!(sent(None, 500), "claim 2 lost 1 over 7");
}

#[test]
fn a_message_that_names_a_revision_from_before_the_marker_belongs_to_the_run_that_is_gone() {
    let sent = |expired, revision| {
        let gone = StoredEntry::Deleted(Marker { revision: 4, at: at(501), expired });
        word(&decide_claim(&ClaimInput { revision: Some(revision), ..case(&gone, &claim(1)) }))
    };
    assert_eq!(sent(false, 3), "ack", "forgotten by a client");
    assert_eq!(sent(true, 3), "ack", "expired sooner than a result does: the job never ran");
    assert_eq!(sent(true, 5), "claim 1 lost 0 over 4");
}

#[test]
fn a_message_whose_record_is_gone_for_longer_than_any_marker_is_not_run() {
    let second = |age| at(NOW).unix_ms() / 1_000 - age;
    let sent = |revision, age| {
        let claim = claim(2);
        let case = ClaimInput { revision, stored_at: at(second(age)), ..case(&StoredEntry::Absent, &claim) };
        word(&decide_claim(&case))
    };
    let claim = claim(2);
    let of_another_bucket = ClaimInput {
        revision: Some(3),
        stored_at: at(second(9_999)),
        bucket_created: at(second(5_000)),
        ..case(&StoredEntry::Absent, &claim)
    };
    assert_eq!(
        word(&decide_claim(&of_another_bucket)),
        "claim 1 lost 0 over 0",
        "the bucket was made anew since"
    );
    assert_eq!(sent(Some(3), 3_601), "ack", "revoked, say, while nobody served its queue");
    assert_eq!(sent(Some(3), 3_599), "claim 1 lost 0 over 0", "the server lost its record");
    assert_eq!(sent(None, 9_999), "claim 1 lost 0 over 0", "a raw job's first record");
}

#[test]
fn a_scheduled_job_is_not_claimed_before_its_time() {
    let stage = JobState::Pending { not_before: Some(at(NOW + 60)) };
    let scheduled =
        forged!(started(), stage = stage, attempt = 0, token = None, delivery = None, msg_seq = None);
    assert_eq!(of(scheduled.clone(), 1), "rest 60 s", "a raw message under its id");
    assert_eq!(of(scheduled.clone(), 90), "rest 60 s", "and never poison");
    let stage = JobState::Pending { not_before: Some(Timestamp::from_unix_ms(i64::MAX)) };
    assert_eq!(of(forged!(scheduled, stage = stage), 1), "rest 86400 s", "no delay is longer than a day");
}

#[test]
fn a_believed_revision_is_claimed_without_a_look() {
    let stored = stands(started());
    let first = claim(1);
    let believed = ClaimInput { trusted_revision: Some(5), ..case(&stored, &first) };
    assert_eq!(word(&decide_claim(&believed)), "claim 1 lost 0 over 5");
    let mut late = claim(1);
    late.job.expires_at = Some(at(NOW));
    assert_eq!(
        word(&decide_claim(&ClaimInput { trusted_revision: Some(5), ..case(&stored, &late) })),
        "REVOKED over 5"
    );
}
