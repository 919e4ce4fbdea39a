//! The protocol's invariants: on each write as it lands, and on each state.

use crate::record::{End, ErrorKind, JobState, Record, StateLabel};

use crate::model::records::Rec;
use crate::model::steps::{Model, args};
use crate::model::world::{Odd, World};

impl Model {
    pub(super) fn hit(&mut self, what: impl Into<String>) {
        self.hits.push(what.into());
    }

    /// What must hold of `new` as it lands on what stands.
    pub(super) fn check_write(&mut self, world: &World, new: Rec) {
        let mut broken = Vec::new();
        let after = self.kept(new);
        let bit = 1 << after.ghost.run;
        if world.odd == Some(Odd::Unreadable) || world.odd == Some(Odd::Newer) {
            broken.push("R6b something that is no record of this version is overwritten".to_owned());
        }
        match world.rec {
            Some(old) => self.check_change(world, old, new, &mut broken),
            None if after.record.attempt > 0 && world.ghost.over & bit != 0 => {
                broken.push("I13 a job that ended is run again".to_owned());
            }
            None => {}
        }
        if after.record.is_terminal() && world.ghost.over & bit != 0 {
            broken.push("I2 second terminal revision".to_owned());
        }
        if is_failure(&after.record, ErrorKind::Poison) && !world.ghost.storm {
            broken.push("R2 poison, though hosts gave it back on purpose".to_owned());
        }
        let fails = matches!(&after.record.stage, JobState::Ended { end: End::Failure(_), .. });
        if self.scenario.copies && fails && world.ghost.copied == 0 && !world.ghost.refused {
            broken.push("R7 a failure is recorded before its copy for people".to_owned());
        }
        let body = world.msgs.iter().find(|msg| Some(u64::from(msg.seq)) == after.record.msg_seq);
        if let Some(msg) = body
            && after.record.args_digest.is_some_and(|digest| digest != args(msg.what.args))
        {
            broken.push("R0 a claim takes other arguments than its record was made for".to_owned());
        }
        self.hits.append(&mut broken);
    }

    fn check_change(&self, world: &World, old: Rec, new: Rec, broken: &mut Vec<String>) {
        let old = self.kept(old);
        let new = self.kept(new);
        let before = &old.record;
        let after = &new.record;
        let claims = (after.attempt, new.ghost.claim) != (before.attempt, old.ghost.claim);
        if before.is_terminal() {
            broken.push(format!("I1 {} overwritten by {}", word(before), word(after)));
        }
        if after.attempt < before.attempt || (claims && after.attempt != before.attempt + 1) {
            broken.push("I3 attempt".to_owned());
        }
        if !claims && after.token != before.token {
            broken.push("I4 token changed without a claim".to_owned());
        }
        if claims && after.attempt == before.attempt {
            broken.push("I4 write of another claim".to_owned());
        }
        if let Some(revoke) = before.revoke.as_ref().filter(|_| !before.is_terminal()) {
            let kept = after.revoke.as_ref().is_some_and(|kept| kept.stop_at <= revoke.stop_at);
            if !kept || (after.is_terminal() && after.state() != StateLabel::Revoked) {
                broken.push(format!("I7 revoked, then {}", word(after)));
            }
        }
        if claims && self.is_early(world) {
            broken.push("I14 claimed before not_before".to_owned());
        }
        // The end that says so does not raise it any more.
        let told = u32::from(is_failure(after, ErrorKind::WorkerLost));
        if after.lost + told > u32::from(world.ghost.faults) {
            broken.push("I11 lost raised though no claim was lost".to_owned());
        }
    }

    /// What must hold of a state.
    pub(super) fn check_state(&mut self, world: &World) -> Vec<String> {
        let ghost = &world.ghost;
        let mut broken = Vec::new();
        if world.msgs.is_empty() && !ghost.purged {
            let live = world.rec.map(|rec| self.kept(rec)).filter(|kept| !kept.record.is_terminal());
            if live.is_some_and(|kept| ghost.accepted >> kept.ghost.run & 1 == 1) {
                broken.push("I5 message gone without a terminal record".to_owned());
            }
            if world.rec.is_none() && world.odd.is_none() && ghost.accepted & !ghost.over != 0 {
                broken.push("I5 job gone without any record".to_owned());
            }
        }
        if ghost.accepted & ghost.unpublished != 0 && !ghost.purged {
            broken.push("I12 accepted, and yet NotPublished".to_owned());
        }
        broken
    }

    /// An ending state: nothing is left to do. A job whose record nobody can read ends in DEAD.
    pub(super) fn is_end(&self, world: &World) -> bool {
        let ended = world.rec.is_none_or(|rec| self.record(rec).is_terminal());
        let unread = world.odd.is_some();
        world.msgs.is_empty() && ended && (unread || world.ghost.accepted & !world.ghost.over == 0)
    }

    /// A record in words.
    pub(super) fn word(&self, rec: Rec) -> String {
        let record = self.record(rec);
        let revoke = if record.revoke.is_some() && !record.is_terminal() { "+revoke" } else { "" };
        format!("{}({}){revoke}", word(record), record.attempt)
    }
}

pub(super) fn is_failure(record: &Record, kind: ErrorKind) -> bool {
    matches!(&record.stage, JobState::Ended { end: End::Failure(error), .. } if error.kind == kind)
}

fn word(record: &Record) -> String {
    match &record.stage {
        JobState::Ended { end: End::Failure(error), .. } => error.kind.as_str().to_owned(),
        JobState::Ended { end: End::Success(_) | End::Revoked, .. }
        | JobState::Pending { .. }
        | JobState::Running(_)
        | JobState::Retry { .. } => record.state().to_string(),
    }
}
