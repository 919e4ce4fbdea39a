//! Tests that every scenario keeps every invariant.

use crate::model::scenarios::{self, Scenario};
use crate::model::search::explore;
use crate::model::steps::Model;

/// The environment variable that, set to `wide`, lets more go wrong in one history.
const BOUNDS: &str = "WASMHOST_MODEL";

#[expect(clippy::disallowed_methods, reason = "it says how far a test goes and configures no program")]
fn holds(scenario: Scenario) {
    let wide = std::env::var(BOUNDS).is_ok_and(|bounds| bounds == "wide");
    let scenario = if wide { scenario.widened() } else { scenario };
    let found = explore(Model::new(scenario, None), None);
    eprintln!("{}: {} states, {} steps", scenario.name, found.states, found.steps);
    assert!(found.violations.is_empty(), "{}\n{}", scenario.name, found.describe());
    assert_eq!(
        found.capped,
        scenario.budgets.foreign_value > 0,
        "only what no host can read is delivered without end"
    );
}

macro_rules! scenarios {
    ($($name:ident: $scenario:ident,)*) => {
        $(#[test]
        fn $name() {
            holds(scenarios::$scenario);
        })*
    };
}

scenarios! {
    s1_a_job_survives_crashes_pauses_retries_and_lost_answers: S1,
    s1b_a_raw_job_survives_hand_off_progress_and_a_fourth_stale_delivery: S1B,
    s2_revoke_and_expiry_race_with_the_attempt: S2,
    s3_a_submission_is_repeated_beside_a_reconciler: S3,
    s3b_a_scheduled_submission_is_repeated_beside_a_reconciler: S3B,
    s3c_a_publish_without_an_answer_lands_late: S3C,
    s4_an_expired_id_is_used_again: S4,
    s5_two_messages_of_one_key_meet_a_purge: S5,
    s5b_a_revoked_job_loses_its_message: S5B,
    s6_liars_are_not_believed: S6,
    s7_poison_ends_and_a_copy_precedes_a_failure: S7,
    s8_a_forgotten_job_does_not_run_again: S8,
    s8b_a_job_that_was_revoked_before_it_ran_stays_ended_when_its_record_is_gone: S8B,
    s8c_a_late_message_does_not_start_a_job_whose_record_is_gone: S8C,
    s9_what_cannot_be_read_is_never_overwritten: S9,
    s10_two_reconcilers_agree: S10,
    s11_a_raw_job_and_a_submission_with_other_arguments_are_kept_apart: S11,
    s11b_two_clients_with_different_arguments_do_not_share_a_job: S11B,
    s12_the_time_to_stop_only_moves_earlier: S12,
    s13_a_suspect_that_waits_is_no_poison: S13,
    s15_what_fired_comes_again_and_the_id_is_used_again: S15,
    s15r_a_raw_job_that_fired_comes_again: S15R,
    s15b_what_fired_comes_again_while_hosts_die: S15B,
    s15c_what_fired_is_taken_from_the_job_stream: S15C,
    s14_three_messages_of_one_key_on_three_hosts_meet_a_purge: S14,
}
