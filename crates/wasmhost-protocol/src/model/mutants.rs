//! Mutants: each breaks one sentence of the protocol, and must break an invariant. They are switches of the model, or
//! change what goes into the protocol's functions or comes out of them; the product's code is never another.

use crate::machine::sample::forged;
use crate::machine::{WriteIntent, transition};
use crate::record::{ErrorKind, JobState, Record, RunningLabel, StateLabel, StoredEntry};
use crate::rules::{ClaimDecision, ClaimInput, decide_claim};
use crate::timestamp::Timestamp;

use crate::model::clock;
use crate::model::invariants::is_failure;
use crate::model::steps::Model;

/// A sentence that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// R5 asks an owner for its token before it asks whether the record is terminal.
    OldR5Order,
    /// A write that is tried again has another id.
    FreshWrites,
    AckBeforeTerminal,
    /// The token is the delivery count.
    CountIsTheFence,
    /// R4's adoption keeps the token.
    NoFenceAtAdoption,
    R4AcksAlways,
    /// R13 with a single scan.
    OneScan,
    /// R13 looks into the jobs first.
    JobsBeforeSchedules,
    T8IgnoresRevoke,
    NakWithoutT3,
    NoT6b,
    /// R0 where submitters are not trusted.
    TrustsLiars,
    R5NotForClaims,
    StartsWhileUnknown,
    ReappliesOverRevoke,
    NoR14,
    TrustsTheNakDelay,
    NoT6bForReconciler,
    /// R1 without the touch.
    NoTouch,
    /// R3 compares counts of different consumers.
    CountsOnly,
    /// R3 not for RETRY.
    R3NotForRetry,
    /// R9 adopts a terminal record with its own token.
    BeatAdoptsEnds,
    /// R14 without `after`.
    NoAfter,
    /// A claim goes over a record that nobody can read.
    ClaimsOverUnreadable,
    /// A message that cannot be a job goes without a copy, and so does a failure.
    NoCopy,
    /// R2 counts what hosts gave back on purpose.
    PoisonForSuspects,
    /// R0 without the digest of the arguments.
    NoDigest,
    /// T9 moves the time to stop later.
    LaterStop,
    /// R14 knows expired records only, not forgotten ones.
    NoR14ForForgotten,
    /// R4 without a second look at whose message the record is by then.
    AdoptsWhatMoved,
    /// R14 by the time of a result, for a message that names a revision too.
    R14ByTimeAlone,
    /// T9 of a job that nobody claimed.
    StopsPending,
    /// A claim that landed is adopted, though the job has ended since.
    StartsWhatEnded,
    /// What fired stands on after its job has ended.
    KeepsWhatFired,
    /// It is deleted between the record of the end and the ack.
    DiscardsAtTheAck,
    /// It is deleted once the message of the job stream is gone.
    DiscardsAfterTheAck,
    /// It is deleted without a look at which one it was.
    DiscardsWhateverFired,
    /// A source without a start sequence.
    StartsAtTheEnd,
}

impl Model {
    /// `judge`, or what a mutant makes of it.
    pub(super) fn judge_mutated(&self, case: ClaimInput<'_>) -> ClaimDecision {
        let Some(mutant) = self.mutant else { return decide_claim(&case) };
        if mutant == Mutant::PoisonForSuspects {
            return judge_without_losses(&case);
        }
        let mut stored = case.stored.clone();
        let mut case = case;
        let claim = case.claim;
        let far = Timestamp::from_unix_ms(i64::MAX);
        let mut revoke = None;
        let mut digest = None;
        match (&mut stored, mutant) {
            (StoredEntry::Deleted(_), Mutant::NoR14) => (case.stored_at, case.revision) = (far, None),
            (StoredEntry::Deleted(marker), Mutant::NoR14ForForgotten) if !marker.expired => {
                case.stored_at = far;
                case.revision = None;
            }
            (StoredEntry::Deleted(_), Mutant::R14ByTimeAlone) => case.revision = None,
            (StoredEntry::Unreadable { revision, .. }, Mutant::ClaimsOverUnreadable) => {
                case.trusted_revision = Some(*revision);
            }
            (StoredEntry::Record { record, .. }, mutant) => match mutant {
                Mutant::CountsOnly
                    if record.delivery.is_some_and(|held| held.created != claim.delivery.created) =>
                {
                    record.delivery = None;
                }
                Mutant::R3NotForRetry if matches!(record.stage, JobState::Retry { .. }) => {
                    record.delivery = None
                }
                Mutant::NoAfter => record.after = None,
                Mutant::NoDigest => digest = record.args_digest.take(),
                Mutant::CountIsTheFence => record.token = None,
                Mutant::TrustsTheNakDelay => open_early(record),

                Mutant::T8IgnoresRevoke if is_losing(record, claim.max_lost) => revoke = record.revoke.take(),
                // Every other mutant is broken elsewhere.
                _ => {}
            },
            _ => {}
        }
        case.stored = &stored;
        let mut decision = decide_claim(&case);
        match (&mut decision, mutant, &stored) {
            (ClaimDecision::Claim { record, .. }, Mutant::NoDigest, _) => {
                record.args_digest = record.args_digest.or(digest)
            }
            (
                ClaimDecision::Claim { record, .. },
                Mutant::NoFenceAtAdoption,
                StoredEntry::Record { record: held, .. },
            ) if claim.adopt => {
                record.token = held.token;
            }
            (ClaimDecision::End { record, .. }, Mutant::T8IgnoresRevoke, _) => {
                record.revoke = record.revoke.take().or(revoke)
            }
            (
                ClaimDecision::End { record, .. },
                Mutant::NoT6b,
                StoredEntry::Record { record: held, revision },
            ) if record.state() == StateLabel::Revoked && matches!(held.stage, JobState::Running(_)) => {
                decision = ClaimDecision::Stale { revision: *revision };
            }
            _ => {}
        }
        decision
    }
}

/// Poison as if no claim had ever been lost, all else as it is.
fn judge_without_losses(case: &ClaimInput<'_>) -> ClaimDecision {
    let mut stored = case.stored.clone();
    if let StoredEntry::Record { record, .. } = &mut stored {
        record.lost = 0;
    }
    let right = decide_claim(case);
    match decide_claim(&ClaimInput { stored: &stored, ..*case }) {
        ClaimDecision::End { record, expected } if is_failure(&record, ErrorKind::Poison) => {
            ClaimDecision::End { record, expected }
        }
        ClaimDecision::Claim { .. }
        | ClaimDecision::End { .. }
        | ClaimDecision::Ack
        | ClaimDecision::Delay(_)
        | ClaimDecision::LookUpMessage { .. }
        | ClaimDecision::Stale { .. }
        | ClaimDecision::DeadLetter { .. } => right,
    }
}

fn open_early(record: &mut Record) {
    if let JobState::Retry { not_before } = &mut record.stage {
        *not_before = clock::passed();
    }
}

fn is_losing(record: &Record, max_lost: u32) -> bool {
    matches!(record.stage, JobState::Running(_)) && record.lost + 1 > max_lost
}

/// A write that `next` refuses, built all the same.
pub(super) fn forced(known: &Record, intent: &WriteIntent) -> Record {
    let open = forged!(
        known.clone(),
        stage = JobState::Running(RunningLabel::Started),
        revoke = None,
        max_attempts = Some(u32::MAX)
    );
    let revoked = forged!(open.clone(), revoke = known.revoke.clone());
    let built = transition(Some(&open), intent).or_else(|_| transition(Some(&revoked), intent));
    let after = built.expect("nothing refuses it any more");
    let revoke = known.revoke.clone().or_else(|| after.revoke.clone());
    forged!(after, revoke = revoke, max_attempts = known.max_attempts)
}
