//! The protocol's [invariants](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#invariants),
//! checked on each write as it is stored and on each state.

use crate::record::{End, ErrorKind, JobState, Record, StateLabel};

use crate::model::records::RecordId;
use crate::model::steps::{Model, args};
use crate::model::world::{ForeignValue, World};

impl Model {
    /// Notes that the step which is being made violates an invariant.
    pub(super) fn violate(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// Checks what must hold of a record as it is written over the stored entry.
    pub(super) fn check_write(&mut self, world: &World, new: RecordId) {
        let mut broken = Vec::new();
        let after = self.interned(new);
        let bit = 1 << after.ghost.generation;
        if world.foreign == Some(ForeignValue::Unreadable) || world.foreign == Some(ForeignValue::Newer) {
            broken.push("R6b something that is no record of this version is overwritten".to_owned());
        }
        match world.record_id {
            Some(old) => self.check_change(world, old, new, &mut broken),
            None if after.record.attempt > 0 && world.ghost.ended & bit != 0 => {
                broken.push("I13 a job that ended is run again".to_owned());
            }
            None => {}
        }
        if after.record.is_terminal() && world.ghost.ended & bit != 0 {
            broken.push("I2 second terminal revision".to_owned());
        }
        if is_failure(&after.record, ErrorKind::Poison) && !world.ghost.excess_deliveries {
            broken.push("R2 poison, though hosts gave it back on purpose".to_owned());
        }
        let fails = matches!(&after.record.state, JobState::Ended { end: End::Failure(_), .. });
        if self.scenario.copies && fails && world.ghost.copied == 0 && !world.ghost.refused {
            broken.push("R7 a failure is recorded before its dead-letter copy".to_owned());
        }
        let body = world.messages.iter().find(|message| Some(u64::from(message.seq)) == after.record.msg_seq);
        if let Some(message) = body
            && after.record.args_digest.is_some_and(|digest| digest != args(message.publish.args))
        {
            broken.push("R0 a claim takes other arguments than its record was made for".to_owned());
        }
        self.violations.append(&mut broken);
    }

    fn check_change(&self, world: &World, old: RecordId, new: RecordId, broken: &mut Vec<String>) {
        let old = self.interned(old);
        let new = self.interned(new);
        let before = &old.record;
        let after = &new.record;
        let is_claim = (after.attempt, new.ghost.claim) != (before.attempt, old.ghost.claim);
        if before.is_terminal() {
            broken.push(format!("I1 {} overwritten by {}", describe_record(before), describe_record(after)));
        }
        if after.attempt < before.attempt || (is_claim && after.attempt != before.attempt + 1) {
            broken.push("I3 attempt".to_owned());
        }
        if !is_claim && after.token != before.token {
            broken.push("I4 token changed without a claim".to_owned());
        }
        if is_claim && after.attempt == before.attempt {
            broken.push("I4 write of another claim".to_owned());
        }
        if let Some(revoke) = before.revoke.as_ref().filter(|_| !before.is_terminal()) {
            let is_preserved = after.revoke.as_ref().is_some_and(|after| after.stop_at <= revoke.stop_at);
            if !is_preserved || (after.is_terminal() && after.label() != StateLabel::Revoked) {
                broken.push(format!("I7 revoked, then {}", describe_record(after)));
            }
        }
        if is_claim && self.has_retry_waiting(world) {
            broken.push("I14 claimed before not_before".to_owned());
        }
        // `WorkerLost` is written instead of a claim that would raise `lost`, so that the last lost claim is
        // not in the counter.
        let uncounted = u32::from(is_failure(after, ErrorKind::WorkerLost));
        if after.lost + uncounted > u32::from(world.ghost.faults) {
            broken.push("I11 lost raised though no claim was lost".to_owned());
        }
    }

    /// Returns the invariants that a state violates.
    pub(super) fn check_state(&mut self, world: &World) -> Vec<String> {
        let ghost = &world.ghost;
        let mut broken = Vec::new();
        if world.messages.is_empty() && !ghost.purged {
            let open_job = world
                .record_id
                .map(|record_id| self.interned(record_id))
                .filter(|interned| !interned.record.is_terminal());
            if open_job.is_some_and(|interned| ghost.accepted >> interned.ghost.generation & 1 == 1) {
                broken.push("I5 message gone without a terminal record".to_owned());
            }
            if world.record_id.is_none() && world.foreign.is_none() && ghost.accepted & !ghost.ended != 0 {
                broken.push("I5 job gone without any record".to_owned());
            }
        }
        if ghost.accepted & ghost.unpublished != 0 && !ghost.purged {
            broken.push("I12 accepted, and yet NotPublished".to_owned());
        }
        broken
    }

    /// Returns whether a state is an ending one, in which nothing is left to do. A job whose record nobody
    /// can read ends among the dead letters.
    pub(super) fn is_end(&self, world: &World) -> bool {
        let has_ended = world.record_id.is_none_or(|record_id| self.record(record_id).is_terminal());
        let is_unreadable = world.foreign.is_some();
        world.messages.is_empty()
            && has_ended
            && (is_unreadable || world.ghost.accepted & !world.ghost.ended == 0)
    }

    /// Describes a record for a label.
    pub(super) fn describe_record(&self, record_id: RecordId) -> String {
        let record = self.record(record_id);
        let revoke = if record.revoke.is_some() && !record.is_terminal() { "+revoke" } else { "" };
        format!("{}({}){revoke}", describe_record(record), record.attempt)
    }
}

pub(super) fn is_failure(record: &Record, kind: ErrorKind) -> bool {
    matches!(&record.state, JobState::Ended { end: End::Failure(error), .. } if error.kind == kind)
}

fn describe_record(record: &Record) -> String {
    match &record.state {
        JobState::Ended { end: End::Failure(error), .. } => error.kind.as_str().to_owned(),
        JobState::Ended { end: End::Success(_) | End::Revoked, .. }
        | JobState::Pending { .. }
        | JobState::Running(_)
        | JobState::Retry { .. } => record.label().to_string(),
    }
}
