//! Tests that every mutant violates an invariant. A model that did not find these errors would not find
//! errors of the protocol either.

use crate::model::mutants::Mutant;
use crate::model::scenarios::{self, Scenario};
use crate::model::search::explore;
use crate::model::steps::Model;

fn breaks(scenario: Scenario, mutant: Mutant, invariant: &str) {
    let found = explore(Model::new(scenario, Some(mutant)), Some(invariant));
    let broken = found.violations.iter().any(|violation| violation.what.starts_with(invariant));
    eprintln!("{mutant:?} in {}: {} states\n{}", scenario.name, found.states, found.describe());
    assert!(broken, "{invariant} holds in {} states with {mutant:?}", found.states);
}

macro_rules! mutants {
    ($($name:ident: $mutant:ident in $scenario:ident breaks $invariant:literal,)*) => {
        $(#[test]
        fn $name() {
            breaks(scenarios::$scenario, Mutant::$mutant, concat!($invariant, " "));
        })*
    };
}

mutants! {
    a_token_asked_for_before_the_end_overwrites_it: TokenBeforeEnd in S2 breaks "I1",
    a_fresh_write_at_each_retry_loses_a_claim: FreshWriteIds in S1 breaks "I11",
    an_ack_before_the_terminal_record_loses_the_job: AckBeforeTerminal in S1 breaks "I5",
    a_delivery_count_is_no_fence: CountIsTheToken in S1 breaks "I3",
    an_adoption_without_a_new_token_fences_nobody: AdoptionKeepsToken in S5 breaks "I3",
    a_duplicate_acked_unseen_loses_the_job: AcksEveryDuplicate in S5 breaks "I5",
    one_scan_ends_a_job_that_was_being_published: OneScan in S3B breaks "I12",
    jobs_looked_up_before_schedules_miss_what_moves: JobsBeforeSchedules in S3B breaks "I12",
    a_lost_worker_hides_a_revoke: FailureHidesRevoke in S2 breaks "I7",
    a_nak_without_a_retry_recorded_counts_as_lost: NakWithoutRetry in S1 breaks "I11",
    a_revoked_job_whose_owner_is_gone_never_ends_unless_a_host_ends_it: NoRevokedByHost in S2 breaks "I6",
    a_liar_who_is_believed_takes_a_running_job: TrustsLiars in S6 breaks "I3",
    a_claim_without_an_answer_that_is_not_recognised_is_lost: ForgetsUnknownClaims in S1 breaks "I11",
    a_guest_started_while_unknown_has_no_recorded_attempt: StartsWhileUnknown in S1 breaks "I10",
    an_outcome_applied_again_forgets_a_revoke: ReappliesOverRevoke in S2 breaks "I7",
    a_message_of_an_expired_job_runs_it_again: RunsExpired in S4 breaks "I13",
    a_nak_delay_is_no_promise: TrustsNakDelay in S1 breaks "I14",
    a_revoked_job_without_a_message_never_ends_unless_the_reconciler_ends_it: NoRevokedByReconciler in S5B breaks "I6",
    a_read_instead_of_a_touch_is_no_fence: ReadsInsteadOfTouching in S3B breaks "I12",
    counts_of_different_consumers_do_not_compare: ComparesCountsOnly in S1 breaks "I11",
    a_stale_delivery_takes_a_retry_over: StaleTakesRetry in S1B breaks "I11",
    a_beat_that_accepts_an_end_overwrites_it: BeatAcceptsEnds in S2 breaks "I1",
    a_message_of_an_earlier_use_of_the_id_is_taken_for_this_ones: IgnoresAfter in S4 breaks "I5",
    a_claim_is_written_over_what_nobody_can_read: ClaimsOverUnreadable in S9 breaks "R6b",
    a_message_is_removed_without_a_copy: NoCopy in S9 breaks "R7",
    a_failure_is_recorded_without_a_copy: NoCopy in S7 breaks "R7",
    a_suspect_that_waits_is_taken_for_poison: PoisonForSuspects in S13 breaks "R2",
    other_arguments_run_under_a_job: IgnoresArguments in S11 breaks "R0",
    a_time_to_stop_that_moves_later_takes_a_revoke_back: StopMovesLater in S12 breaks "I7",
    a_message_of_a_forgotten_job_runs_it_again: RunsForgotten in S8 breaks "I13",
    a_message_outlives_the_short_record_of_its_job: EndedByTimeAlone in S8B breaks "I13",
    a_request_to_stop_before_any_claim_is_lost: StopsUnclaimed in S8B breaks "I7",
    a_message_looked_up_for_one_claim_is_no_excuse_to_take_the_next: AdoptsAnyMessage in S14 breaks "I11",
    a_due_message_that_is_never_deleted_runs_its_job_again: KeepsDueMessage in S15R breaks "I13",
    a_due_message_that_is_deleted_after_the_end_runs_its_job_again: DeletesDueMessageAtAck in S15R breaks "I13",
    a_due_message_that_is_deleted_after_the_ack_runs_its_job_again: DeletesDueMessageAfterAck in S15R breaks "I13",
    a_due_message_that_fired_later_must_not_be_deleted: DeletesEveryDueMessage in S15 breaks "I5",
    a_source_without_a_start_passes_over_due_messages: SourceWithoutStart in S15B breaks "I6",
    a_claim_that_was_stored_starts_a_job_that_ended_since: StartsEndedJob in S2 breaks "I13",
}
