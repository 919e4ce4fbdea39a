//! The state machine: the one place that decides whether a transition is legal. Pure: time and randomness come in.
//!
//! The rows are those of the protocol: T0 to T9; T10 and T11 delete. Who compares-and-sets, and on which revision, is the
//! adapter's part; what only the message or the host can tell (R3's third time, a guest that stopped) is the host's.

mod guards;
mod intent;

#[cfg(test)]
mod histories;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod table;

use crate::json::Json;
use crate::record::{End, JobState, Record, RecordFields, Revoke, RunningLabel};
use crate::timestamp::Timestamp;

pub use intent::{CLAIM_CLOCK_TOLERANCE, Claim, Illegal, JobSpec, Transition, WriteIntent, Writer};

/// The record that follows `record` by `change`, or why none does.
pub fn transition(record: Option<&Record>, intent: &WriteIntent) -> Result<Record, Illegal> {
    let Some(record) = record else { return from_absent(intent) };
    if record.is_terminal() {
        return Err(Illegal::Ended(record.state()));
    }
    let mut after = RecordFields::clone(record);
    after.updated_at = intent.now;
    after.write = intent.write;
    match &intent.transition {
        Transition::Submit(_) | Transition::EndUnrecorded { .. } => {
            return Err(Illegal::Exists(record.state()));
        }
        Transition::Touch => guards::touch(record, intent)?,
        Transition::Claim(claim) => apply_claim(&mut after, record, claim, intent)?,
        Transition::Progress { state, meta } => {
            guards::owner(record, intent, "a custom state")?;
            after.stage = JobState::Running(RunningLabel::Custom(state.clone()));
            after.meta.clone_from(meta);
        }
        Transition::Checkpoint(blob) => {
            guards::owner(record, intent, "a checkpoint")?;
            after.checkpoint = Some(blob.clone());
        }
        Transition::Retry { reason, not_before, charge, usage } => {
            guards::retry(record, intent, *charge)?;
            after.stage = JobState::Retry { not_before: *not_before };
            after.meta = Json::of(&serde_json::json!({ "reason": reason })).ok();
            after.charged += u32::from(*charge);
            after.usage = usage.or(record.usage);
        }
        Transition::Finish { end, usage, denied } => {
            guards::finish(record, intent, end)?;
            after.stage = JobState::Ended { end: end.clone(), finished_at: intent.now };
            after.charged += u32::from(matches!(intent.writer, Writer::Owner(_)));
            after.usage = usage.or(record.usage);
            after.denied.clone_from(denied);
        }
        Transition::Revoked { reason, usage } => {
            guards::revoked(record, intent)?;
            end_revoked(&mut after, reason, intent.now);
            after.usage = usage.or(record.usage);
        }
        Transition::RequestRevoke(revoke) => after.revoke = Some(guards::earlier(record, revoke, intent)?),
    }
    Ok(Record::seal(after))
}

fn from_absent(intent: &WriteIntent) -> Result<Record, Illegal> {
    match (&intent.transition, intent.writer) {
        (Transition::Submit(job), Writer::Client) => Ok(pending(job, intent)),
        (Transition::Submit(_), _) => Err(Illegal::NotAllowed("PENDING")),
        (Transition::Claim(claim), _) => {
            let before = pending(&claim.job, intent);
            let mut after = RecordFields::clone(&before);
            apply_claim(&mut after, &before, claim, intent)?;
            Ok(Record::seal(after))
        }
        (Transition::EndUnrecorded { job, end, reason }, _) => {
            let before = pending(job, intent);
            match end {
                End::Revoked => guards::revoked(&before, intent)?,
                End::Success(_) | End::Failure(_) => guards::finish(&before, intent, end)?,
            }
            Ok(end_unrecorded(job, end.clone(), reason, intent))
        }
        (
            Transition::Touch
            | Transition::Progress { .. }
            | Transition::Checkpoint(_)
            | Transition::Retry { .. }
            | Transition::Finish { .. }
            | Transition::Revoked { .. }
            | Transition::RequestRevoke(_),
            _,
        ) => Err(Illegal::Absent),
    }
}

fn end_unrecorded(job: &JobSpec, end: End, reason: &str, intent: &WriteIntent) -> Record {
    let mut record = pending(job, intent).into_fields();
    match end {
        End::Revoked => end_revoked(&mut record, reason, intent.now),
        End::Success(_) | End::Failure(_) => record.stage = JobState::Ended { end, finished_at: intent.now },
    }
    Record::seal(record)
}

fn end_revoked(record: &mut RecordFields, reason: &str, now: Timestamp) {
    record.stage = JobState::Ended { end: End::Revoked, finished_at: now };
    // Cut here too: whoever wrote the request, its record must end.
    let (reason, stop_at) = match &record.revoke {
        Some(revoke) => (guards::cut(&revoke.reason), revoke.stop_at),
        None => (guards::cut(reason), now),
    };
    record.revoke = Some(Revoke { reason, stop_at });
}

fn pending(job: &JobSpec, intent: &WriteIntent) -> Record {
    Record::seal(RecordFields {
        stage: JobState::Pending { not_before: job.not_before },
        meta: None,
        task: job.key.task().clone(),
        id: job.key.id().clone(),
        attempt: 0,
        max_attempts: job.max_attempts,
        queue: job.queue.clone(),
        host: None,
        submitted_at: job.submitted_at,
        started_at: None,
        updated_at: intent.now,
        expires_at: job.expires_at,
        digest: job.digest,
        usage: None,
        args_digest: job.args_digest,
        parent: job.parent.clone(),
        revoke: None,
        denied: Vec::new(),
        checkpoint: None,
        token: None,
        write: intent.write,
        charged: 0,
        lost: 0,
        delivery: None,
        msg_seq: None,
        after: job.after,
        unknown: Vec::new(),
    })
}

fn apply_claim(
    after: &mut RecordFields,
    record: &Record,
    claim: &Claim,
    intent: &WriteIntent,
) -> Result<(), Illegal> {
    after.lost = guards::claim(record, claim, intent)?;
    after.attempt += 1;
    after.stage =
        JobState::Running(if claim.track_started { RunningLabel::Started } else { RunningLabel::Pending });
    after.meta = None;
    after.max_attempts = record.max_attempts.or(claim.max_attempts);
    after.host = Some(claim.host.clone());
    after.started_at = Some(intent.now);
    after.digest = record.digest.or(claim.digest);
    after.token = Some(claim.token);
    after.delivery = Some(claim.delivery);
    after.msg_seq = Some(claim.msg_seq);
    after.usage = None;
    Ok(())
}
