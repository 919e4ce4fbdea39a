//! The writes of a host, and what it makes of those without an answer.

use crate::record::StoredEntry;
use crate::rules::{WriteResolution, resolve_write, still_owned};

use crate::model::mutants::Mutant;
use crate::model::records::token;
use crate::model::server::name;
use crate::model::steps::{Cause, Model, spend, to_u8};
use crate::model::world::{Host, HostStep, Intent, World, Write};

impl Model {
    pub(super) fn write_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let record_id = host.record_id.expect("whoever writes has a record");
        let what = match self.describe {
            true => format!(
                "{}: {:?}: {} over {}",
                name(at),
                host.intent,
                self.describe_record(record_id),
                host.expected
            ),
            false => String::new(),
        };
        match self.compare_and_set(world, record_id, host.expected) {
            Some(after) => {
                let after = self.confirmed(&after, at, after.hosts[at], after.revision);
                self.step(Cause::Work, after, || format!("{what} is stored"));
            }
            None => {
                let mut after = *world;
                after.hosts[at].step = HostStep::Unknown;
                self.step(Cause::Work, after, || format!("{what} is refused"));
            }
        }
        if let Some(mut after) = spend(world, |budgets| &mut budgets.unknown) {
            after.in_flight.push(Write { record_id: Some(record_id), expected: host.expected });
            after.hosts[at].step = HostStep::Unknown;
            if self.is(Mutant::StartsWhileUnknown) && host.intent == Intent::Claim {
                after.hosts[at] = Host { step: HostStep::Run, expected: world.writes + 1, ..host };
            }
            self.step(Cause::Chance, after, || format!("{what} has no answer"));
        }
    }

    /// Returns the state after the write of `host` is confirmed at `revision`.
    pub(super) fn confirmed(&mut self, world: &World, at: usize, host: Host, revision: u8) -> World {
        let mut after = *world;
        let message = host.message.to_settle();
        let step = match host.intent {
            Intent::Claim | Intent::Progress => HostStep::Run,
            Intent::Retry | Intent::HandOff => HostStep::Nak,
            Intent::End | Intent::Success | Intent::Failure | Intent::Revoked => HostStep::Ack,
        };
        let settling = Host { step, message, ..Host::default() };
        after.hosts[at] = if step == HostStep::Run { self.running(&host, revision) } else { settling };
        after
    }

    /// Returns the host whose guest starts or goes on.
    fn running(&mut self, host: &Host, revision: u8) -> Host {
        let record_id = host.record_id.expect("whoever runs has a record");
        if self.record(record_id).is_terminal() {
            self.violate("I13 a guest starts in a job that is known to have ended");
        }
        let message = host.message.to_settle();
        let claim = host.claim;
        let token = host.token;
        let recorded = host.recorded;
        Host {
            step: HostStep::Run,
            message,
            claim,
            token,
            recorded,
            record_id: host.record_id,
            expected: revision,
            ..Host::default()
        }
    }

    pub(super) fn unknown_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        if !matches!(host.intent, Intent::Claim | Intent::End) {
            return self.owner_unknown_step(world, at);
        }
        let written = self.record(host.record_id.expect("whoever writes has a record")).clone();
        let is_own_claim = |found: &StoredEntry| {
            let takes_end_for_claim = self.is(Mutant::StartsEndedJob) && self.owns_record(world, &host);
            takes_end_for_claim || still_owned(found.clone(), token(host.token)).is_some()
        };
        let forgets = self.is(Mutant::ForgetsUnknownClaims);
        match resolve_write(&written, u64::from(host.expected), self.stored_entry(world)) {
            WriteResolution::Stored(revision) if !forgets => {
                let after = self.confirmed(world, at, host, to_u8(revision));
                self.step(Cause::Work, after, || format!("{}: its write was stored", name(at)));
            }
            WriteResolution::Unchanged => {
                let mut after = *world;
                after.hosts[at] = self.retry_write(world, &host);
                self.step(Cause::Work, after, || format!("{}: nothing has changed, tries again", name(at)));
            }
            WriteResolution::Superseded(found)
                if host.intent == Intent::Claim && is_own_claim(&found) && !forgets =>
            {
                let host = Host { record_id: world.record_id, ..host };
                let after = self.confirmed(world, at, host, world.revision);
                self.step(Cause::Work, after, || {
                    format!("{}: its claim was stored, and written over", name(at))
                });
            }
            WriteResolution::Stored(_) | WriteResolution::Superseded(_) => {
                self.decision_steps(world, at, Host { adopt: false, ..host });
            }
        }
    }
}
