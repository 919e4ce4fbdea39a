//! Mutants: each breaks one sentence of the protocol and must violate an invariant. A mutant is a switch of
//! the model, or changes what goes into the protocol's functions or comes out of them. The code of the crate
//! itself is always the same.

use crate::digest::Digest;
use crate::machine::sample::forged;
use crate::machine::{Claim, WriteIntent, transition};
use crate::record::{ErrorKind, JobState, Marker, Record, Revoke, RunningLabel, StateLabel, StoredEntry};
use crate::rules::{ClaimDecision, ClaimInput, decide_claim};
use crate::timestamp::Timestamp;

use crate::model::clock;
use crate::model::invariants::is_failure;
use crate::model::steps::Model;

/// A sentence of the protocol that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// After a write without an answer, an owner compares the token before it asks whether the record is
    /// terminal.
    TokenBeforeEnd,
    /// A write that is tried again has another write id.
    FreshWriteIds,
    /// The owner acknowledges the message before the end is recorded.
    AckBeforeTerminal,
    /// The token is the delivery count.
    CountIsTheToken,
    /// A claim that adopts a record keeps its token.
    AdoptionKeepsToken,
    /// A duplicate message is acknowledged though the record's own message is gone.
    AcksEveryDuplicate,
    /// The reconciler ends a job after a single scan.
    OneScan,
    /// The reconciler looks into the job stream first.
    JobsBeforeSchedules,
    /// A host ends a revoked job with `WorkerLost`.
    FailureHidesRevoke,
    /// A host gives a delivery back without a recorded retry.
    NakWithoutRetry,
    /// Hosts do not end a revoked job whose owner is gone.
    NoRevokedByHost,
    /// Hosts believe submitters that are not trusted.
    TrustsLiars,
    /// A claim without an answer is not recognised.
    ForgetsUnknownClaims,
    /// A guest starts while its claim has no answer.
    StartsWhileUnknown,
    /// An owner builds its outcome again over a recorded revoke.
    ReappliesOverRevoke,
    /// A message of an expired job runs.
    RunsExpired,
    /// Hosts rely on the server for the delay of a retry.
    TrustsNakDelay,
    /// The reconciler does not end a revoked job whose owner is gone.
    NoRevokedByReconciler,
    /// A client in doubt reads the record instead of touching it.
    ReadsInsteadOfTouching,
    /// Delivery counts of different consumers are compared.
    ComparesCountsOnly,
    /// A stale delivery may claim a job in RETRY.
    StaleTakesRetry,
    /// A beat accepts a terminal record with the host's own token.
    BeatAcceptsEnds,
    /// A record does not tell messages of an earlier use of its id.
    IgnoresAfter,
    /// A claim is written over a value that nobody can read.
    ClaimsOverUnreadable,
    /// No dead-letter copy is stored.
    NoCopy,
    /// Deliveries that hosts give back on purpose count towards poison.
    PoisonForSuspects,
    /// A claim does not compare the arguments with those of the record.
    IgnoresArguments,
    /// A revoke moves the time to stop later.
    StopMovesLater,
    /// A message of a forgotten job runs.
    RunsForgotten,
    /// A host adopts a record that belongs to a third message by now.
    AdoptsAnyMessage,
    /// Messages of ended jobs are told by time alone, even if they name a revision.
    EndedByTimeAlone,
    /// A client asks a job to stop that no host has claimed.
    StopsUnclaimed,
    /// A host takes its claim for its own though the job has ended since.
    StartsEndedJob,
    /// A due message is never deleted.
    KeepsDueMessage,
    /// A due message is deleted between the record of the end and the ack.
    DeletesDueMessageAtAck,
    /// A due message is deleted after the ack.
    DeletesDueMessageAfterAck,
    /// All due messages of the key are deleted, also those that fired later.
    DeletesEveryDueMessage,
    /// The job stream's source has no start sequence.
    SourceWithoutStart,
}

impl Model {
    /// Returns the decision of `decide_claim`, or what a mutant makes of it.
    pub(super) fn decide_mutated(&self, input: ClaimInput<'_>) -> ClaimDecision {
        let Some(mutant) = self.mutant else { return decide_claim(&input) };
        if mutant == Mutant::PoisonForSuspects {
            return decide_without_losses(&input);
        }
        let mut stored = input.stored.clone();
        let mut input = input;
        let mut removed = Removed::default();
        match &mut stored {
            StoredEntry::Record { record, .. } => removed = mutate_record(mutant, record, input.claim),
            StoredEntry::Deleted(marker) => mutate_message(mutant, marker, &mut input),
            StoredEntry::Unreadable { revision, .. } if mutant == Mutant::ClaimsOverUnreadable => {
                input.trusted_revision = Some(*revision);
            }
            StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. } | StoredEntry::Absent => {}
        }
        input.stored = &stored;
        let mut decision = decide_claim(&input);
        mutate_decision(mutant, &mut decision, &input, removed);
        decision
    }
}

/// What a mutant hides from the decision and puts into the record that follows.
#[derive(Default)]
struct Removed {
    revoke: Option<Revoke>,
    digest: Option<Digest>,
}

/// Changes the record before the decision.
fn mutate_record(mutant: Mutant, record: &mut Record, claim: &Claim) -> Removed {
    let mut removed = Removed::default();
    let consumer = record.delivery.map(|delivery| delivery.created);
    match mutant {
        Mutant::ComparesCountsOnly if consumer.is_some_and(|created| created != claim.delivery.created) => {
            record.delivery = None;
        }
        Mutant::StaleTakesRetry if matches!(record.state, JobState::Retry { .. }) => record.delivery = None,
        Mutant::IgnoresAfter => record.after = None,
        Mutant::IgnoresArguments => removed.digest = record.args_digest.take(),
        Mutant::CountIsTheToken => record.token = None,
        Mutant::TrustsNakDelay => open_early(record),
        Mutant::FailureHidesRevoke if is_losing(record, claim.max_lost) => {
            removed.revoke = record.revoke.take();
        }
        // Every other mutant is broken elsewhere.
        _ => {}
    }
    removed
}

/// Changes what the message says, where a marker is in the place of the record.
fn mutate_message(mutant: Mutant, marker: &Marker, input: &mut ClaimInput<'_>) {
    let looks_new = mutant == Mutant::RunsExpired || mutant == Mutant::RunsForgotten && !marker.expired;
    if looks_new {
        input.stored_at = Timestamp::from_unix_ms(i64::MAX);
    }
    if looks_new || mutant == Mutant::EndedByTimeAlone {
        input.revision = None;
    }
}

/// Changes the decision.
fn mutate_decision(mutant: Mutant, decision: &mut ClaimDecision, input: &ClaimInput<'_>, removed: Removed) {
    match (&mut *decision, mutant, input.stored) {
        (ClaimDecision::Claim { record, .. }, Mutant::IgnoresArguments, _) => {
            record.args_digest = record.args_digest.or(removed.digest);
        }
        (
            ClaimDecision::Claim { record, .. },
            Mutant::AdoptionKeepsToken,
            StoredEntry::Record { record: stored_record, .. },
        ) if input.claim.adopt => record.token = stored_record.token,
        (ClaimDecision::End { record, .. }, Mutant::FailureHidesRevoke, _) => {
            record.revoke = record.revoke.take().or(removed.revoke);
        }
        (
            ClaimDecision::End { record, .. },
            Mutant::NoRevokedByHost,
            StoredEntry::Record { record: stored_record, revision },
        ) if record.label() == StateLabel::Revoked && matches!(stored_record.state, JobState::Running(_)) => {
            *decision = ClaimDecision::Stale { revision: *revision };
        }
        _ => {}
    }
}

/// Decides about poison as if no claim had ever been lost, and about all else as usual.
fn decide_without_losses(input: &ClaimInput<'_>) -> ClaimDecision {
    let mut stored = input.stored.clone();
    if let StoredEntry::Record { record, .. } = &mut stored {
        record.lost = 0;
    }
    let usual = decide_claim(input);
    match decide_claim(&ClaimInput { stored: &stored, ..*input }) {
        ClaimDecision::End { record, expected } if is_failure(&record, ErrorKind::Poison) => {
            ClaimDecision::End { record, expected }
        }
        ClaimDecision::Claim { .. }
        | ClaimDecision::End { .. }
        | ClaimDecision::Ack
        | ClaimDecision::Delay(_)
        | ClaimDecision::LookUpMessage { .. }
        | ClaimDecision::Stale { .. }
        | ClaimDecision::DeadLetter { .. } => usual,
    }
}

fn open_early(record: &mut Record) {
    if let JobState::Retry { not_before } = &mut record.state {
        *not_before = clock::passed();
    }
}

fn is_losing(record: &Record, max_lost: u32) -> bool {
    matches!(record.state, JobState::Running(_)) && record.lost + 1 > max_lost
}

/// Builds a write that the state machine refuses.
pub(super) fn force_write(held_record: &Record, intent: &WriteIntent) -> Record {
    let open = forged!(
        held_record.clone(),
        state = JobState::Running(RunningLabel::Started),
        revoke = None,
        max_attempts = Some(u32::MAX)
    );
    let revoked = forged!(open.clone(), revoke = held_record.revoke.clone());
    let built = transition(Some(&open), intent).or_else(|_| transition(Some(&revoked), intent));
    let after = built.expect("nothing refuses it any more");
    let revoke = held_record.revoke.clone().or_else(|| after.revoke.clone());
    forged!(after, revoke = revoke, max_attempts = held_record.max_attempts)
}
