//! Random histories: whatever is tried in whatever order, the writes that the state machine allows keep the
//! protocol's invariants.

use std::time::Duration;

use proptest::prelude::*;

use super::sample::{claim, failure, finish, progress, retry, revoked, submission, success, token};
use super::{CLAIM_CLOCK_TOLERANCE, Claim, Transition, WriteIntent, Writer, transition};
use crate::digest::Digest;
use crate::record::{
    BlobRef, DeliveryOrdinal, End, ErrorKind, JobState, Record, Revoke, StateLabel, WriteId,
};
use crate::timestamp::Timestamp;

/// One intended write of a history, and how much later than the one before it comes.
#[derive(Debug, Clone)]
struct Step {
    transition: Transition,
    writer: Writer,
    elapsed: Duration,
}

fn second(second: u32) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(second) * 1000)
}

fn submissions() -> impl Strategy<Value = super::JobSpec> {
    (prop::option::of(0..20_u32), prop::option::of(1..4_u32)).prop_map(|(expires, max_attempts)| {
        super::JobSpec { expires_at: expires.map(second), max_attempts, ..submission() }
    })
}

prop_compose! {
    fn claims()(job in submissions(), fence in 1..6_u64, msg_seq in 1..3_u64, created in 0..2_u32, count in 1..5_u64,
                max_lost in 0..3_u32, adopt: bool, track_started: bool) -> Claim {
        let delivery = DeliveryOrdinal { created: second(created), count };
        Claim { job, token: token(fence), msg_seq, delivery, max_lost, adopt, track_started, ..claim(count) }
    }
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(success()),
        Just(failure(ErrorKind::Failed)),
        Just(failure(ErrorKind::WorkerLost)),
        Just(failure(ErrorKind::Lost)),
        Just(failure(ErrorKind::NotPublished)),
        Just(End::Revoked),
    ]
}

fn transitions() -> impl Strategy<Value = Transition> {
    let blob = BlobRef { name: "b".to_owned(), digest: Digest::from_bytes([0; 32]), bytes: 1 };
    prop_oneof![
        1 => submissions().prop_map(Transition::Submit),
        1 => Just(Transition::Touch),
        6 => claims().prop_map(|claim| Transition::Claim(Box::new(claim))),
        2 => Just(progress()),
        1 => Just(Transition::Checkpoint(blob)),
        4 => (0..20_u32, any::<bool>()).prop_map(|(at, charge)| retry(second(at), charge)),
        2 => ends().prop_map(finish),
        1 => Just(revoked()),
        1 => (submissions(), ends()).prop_map(|(job, end)| {
            Transition::EndUnrecorded { job, end, reason: "unwanted".to_owned() }
        }),
        1 => (0..20_u32).prop_map(|at| {
            Transition::RequestRevoke(Revoke { reason: "stop".to_owned(), stop_at: second(at) })
        }),
    ]
}

/// Generates writers. The owners are those of any claim, the newest or not.
fn writers() -> impl Strategy<Value = Writer> {
    prop_oneof![
        3 => (1..6_u64).prop_map(|fence| Writer::Owner(token(fence))),
        3 => Just(Writer::Host),
        1 => Just(Writer::Client),
        1 => Just(Writer::Reconciler),
    ]
}

prop_compose! {
    fn steps()(transition in transitions(), writer in writers(), elapsed in 0..2_500_u64) -> Step {
    Step { transition, writer, elapsed: Duration::from_millis(elapsed) }
    }
}

/// Checks the counters, and the ends that no attempt produced.
fn check_losses(before: Option<&Record>, intent: &WriteIntent, after: &Record) -> Result<(), TestCaseError> {
    let lost = before.map_or(0, |before| before.lost);
    let kind = match &after.state {
        JobState::Ended { end: End::Failure(error), .. } => Some(error.kind),
        JobState::Ended { end: End::Success(_) | End::Revoked, .. }
        | JobState::Pending { .. }
        | JobState::Running(_)
        | JobState::Retry { .. } => None,
    };
    if after.lost != lost {
        let Transition::Claim(claim) = &intent.transition else {
            return Err(TestCaseError::fail("I11: only a claim tells that another was lost"));
        };
        let was_running = before.is_some_and(|before| matches!(before.state, JobState::Running(_)));
        let consumer = before.and_then(|before| before.delivery).map(|delivery| delivery.created);
        prop_assert!(was_running && after.lost == lost + 1, "I11: a claim that had an outcome was not lost");
        prop_assert_eq!(consumer, Some(claim.delivery.created), "I11: its owner may be healthy");
    }
    // The state machine does not restrict the kind of an owner's failure; `decide` chooses it.
    if !matches!(intent.writer, Writer::Owner(_)) {
        let is_unpublished = kind == Some(ErrorKind::NotPublished);
        let is_lost = kind == Some(ErrorKind::Lost);
        prop_assert!(!is_unpublished || after.attempt == 0, "I12: it was claimed, so published");
        prop_assert!(!is_lost || after.attempt > 0, "I12: nobody ever saw its message");
    }
    if after.is_terminal() {
        prop_assert_eq!(after.attempt, before.map_or(0, |before| before.attempt), "I13: an end is no claim");
    }
    Ok(())
}

/// Checks what must hold of every write that the state machine allows.
fn check(before: Option<&Record>, intent: &WriteIntent, after: &Record) -> Result<(), TestCaseError> {
    let is_claim = matches!(intent.transition, Transition::Claim(_));
    let attempt = before.map_or(0, |before| before.attempt);
    let charged = before.map_or(0, |before| before.charged);
    let lost = before.map_or(0, |before| before.lost);
    let token = before.and_then(|before| before.token);

    prop_assert!(before.is_none_or(|before| !before.is_terminal()), "I1: something follows a terminal state");
    prop_assert_eq!(after.attempt, attempt + u32::from(is_claim), "I3");
    prop_assert_eq!(after.token != token, is_claim, "I4: the token changes at a claim and never else");
    if matches!(
        intent.transition,
        Transition::Progress { .. } | Transition::Checkpoint(_) | Transition::Retry { .. }
    ) || after.label() == StateLabel::Success
    {
        prop_assert_eq!(Some(intent.writer), token.map(Writer::Owner), "I4: only the owner writes this");
    }
    if let Writer::Owner(owner) = intent.writer {
        prop_assert_eq!(Some(owner), token, "I4: an owner's write under another's claim");
    }
    if let Some(revoke) = before.and_then(|before| before.revoke.as_ref()) {
        let is_preserved = after.revoke.as_ref().is_some_and(|after| after.stop_at <= revoke.stop_at);
        prop_assert!(is_preserved, "I7: the revoke is gone, or its stop later");
        prop_assert!(
            !after.is_terminal() || after.label() == StateLabel::Revoked,
            "I7: revoked, then {}",
            after.label()
        );
        prop_assert!(!is_claim, "I7: revoked, then claimed");
    }
    if matches!(intent.transition, Transition::RequestRevoke(_)) {
        prop_assert!(after.attempt > 0, "I7: a request to stop what a trusted message may still start");
    }
    if let Some(JobState::Retry { not_before }) = before.map(|before| &before.state)
        && is_claim
    {
        prop_assert!(intent.now.plus(CLAIM_CLOCK_TOLERANCE) >= *not_before, "I14");
    }
    check_losses(before, intent, after)?;
    prop_assert!(after.charged >= charged && after.lost >= lost, "counters fall");
    prop_assert!(after.charged + after.lost <= after.attempt, "more attempts ended than began");
    prop_assert_eq!((after.write, after.updated_at), (intent.write, intent.now));
    let read = Record::from_bytes(&after.to_bytes());
    prop_assert_eq!(
        &read.map_err(|error| TestCaseError::fail(error.to_string()))?,
        after,
        "does not read back"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant(steps in prop::collection::vec(steps(), 1..60)) {
    let mut record: Option<Record> = None;
    let mut now = second(0);
    for (number, step) in steps.into_iter().enumerate() {
    let Step { transition: intended, writer, elapsed } = step;
    now = now.plus(elapsed);
    let write = WriteId::from_random(number as u128);
    let intent = WriteIntent { transition: intended, writer, now, write };
            if let Ok(after) = transition(record.as_ref(), &intent) {
                check(record.as_ref(), &intent, &after)?;
                record = Some(after);
            }
        }
    }
}
