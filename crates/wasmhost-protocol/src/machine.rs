//! The state machine of a record, the one place that decides whether a write is legal.
//!
//! [`transition`] takes a record and an intended write, and returns the record that follows, or why none
//! does. It is a pure function: time and random ids come in with the intended write. Its rows are those of
//! [states.md](https://github.com/wasmhost/wasmhost/blob/main/docs/states.md#transitions); the rows that
//! delete a record have no record that follows and are not here. Whoever writes to the server compares and
//! sets the revision, and only a host can know whether, say, its guest has stopped.

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

pub use intent::{CLAIM_CLOCK_TOLERANCE, Claim, IllegalTransition, JobSpec, Transition, WriteIntent, Writer};

/// Returns the record that follows `record` by the intended write, or why the write is not legal. `None`
/// stands for the absence of a record, and also for a delete marker.
pub fn transition(record: Option<&Record>, intent: &WriteIntent) -> Result<Record, IllegalTransition> {
    let Some(record) = record else { return from_absent(intent) };
    // This guard comes before all others, so that none of them can let anything follow an end.
    if record.is_terminal() {
        return Err(IllegalTransition::Ended(record.label()));
    }
    let mut after = RecordFields::clone(record);
    after.updated_at = intent.now;
    after.write = intent.write;
    match &intent.transition {
        Transition::Submit(_) | Transition::EndUnrecorded { .. } => {
            return Err(IllegalTransition::Exists(record.label()));
        }
        // A touch changes nothing but the write id. The new revision makes every write fail that is based on
        // an older one.
        Transition::Touch => guards::check_touch(record, intent)?,
        Transition::Claim(claim) => apply_claim(&mut after, record, claim, intent)?,
        Transition::Progress { state, meta } => {
            guards::check_owner(record, intent, "a custom state")?;
            after.state = JobState::Running(RunningLabel::Custom(state.clone()));
            after.meta.clone_from(meta);
        }
        Transition::Checkpoint(blob) => {
            guards::check_owner(record, intent, "a checkpoint")?;
            after.checkpoint = Some(blob.clone());
        }
        Transition::Retry { reason, not_before, charge, usage } => {
            guards::check_retry(record, intent, *charge)?;
            after.state = JobState::Retry { not_before: *not_before };
            after.meta = Json::encode(&serde_json::json!({ "reason": reason })).ok();
            after.charged += u32::from(*charge);
            after.usage = usage.or(record.usage);
        }
        Transition::Finish { end, usage, denied } => {
            guards::check_finish(record, intent, end)?;
            after.state = JobState::Ended { end: end.clone(), finished_at: intent.now };
            // An end that no attempt produced charges none: the attempt before it has no outcome.
            after.charged += u32::from(matches!(intent.writer, Writer::Owner(_)));
            after.usage = usage.or(record.usage);
            after.denied.clone_from(denied);
        }
        Transition::Revoked { reason, usage } => {
            guards::check_revoked(record, intent)?;
            end_revoked(&mut after, reason, intent.now);
            after.usage = usage.or(record.usage);
        }
        Transition::RequestRevoke(revoke) => {
            after.revoke = Some(guards::merge_revoke(record, revoke, intent)?);
        }
    }
    Ok(Record::seal(after))
}

/// Returns the first record of a job, which is built from what its submitter or its message says.
fn from_absent(intent: &WriteIntent) -> Result<Record, IllegalTransition> {
    match (&intent.transition, intent.writer) {
        (Transition::Submit(job), Writer::Client) => Ok(pending(job, intent)),
        (Transition::Submit(_), _) => Err(IllegalTransition::NotAllowed("PENDING")),
        // A host claims a job without having read its record, where it believes the revision that the message
        // names, or where the job is raw. The guards apply to the PENDING record that the message describes.
        (Transition::Claim(claim), _) => {
            let before = pending(&claim.job, intent);
            let mut after = RecordFields::clone(&before);
            apply_claim(&mut after, &before, claim, intent)?;
            Ok(Record::seal(after))
        }
        (Transition::EndUnrecorded { job, end, reason }, _) => {
            let before = pending(job, intent);
            match end {
                End::Revoked => guards::check_revoked(&before, intent)?,
                End::Success(_) | End::Failure(_) => guards::check_finish(&before, intent, end)?,
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
        ) => Err(IllegalTransition::Absent),
    }
}

fn end_unrecorded(job: &JobSpec, end: End, reason: &str, intent: &WriteIntent) -> Record {
    let mut record = pending(job, intent).into_fields();
    match end {
        End::Revoked => end_revoked(&mut record, reason, intent.now),
        End::Success(_) | End::Failure(_) => record.state = JobState::Ended { end, finished_at: intent.now },
    }
    Record::seal(record)
}

/// Ends a job in REVOKED. An earlier request keeps its reason and its time.
fn end_revoked(record: &mut RecordFields, reason: &str, now: Timestamp) {
    record.state = JobState::Ended { end: End::Revoked, finished_at: now };
    // An earlier reason is cut as well. Whoever recorded it may have written more, and a terminal record that
    // the server refuses as too large would leave the job without an end.
    let (reason, stop_at) = match &record.revoke {
        Some(revoke) => (guards::cut_reason(&revoke.reason), revoke.stop_at),
        None => (guards::cut_reason(reason), now),
    };
    record.revoke = Some(Revoke { reason, stop_at });
}

/// Returns the record of a job that no host has claimed.
fn pending(job: &JobSpec, intent: &WriteIntent) -> Record {
    Record::seal(RecordFields {
        state: JobState::Pending { not_before: job.not_before },
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
        notify: job.notify.clone(),
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
) -> Result<(), IllegalTransition> {
    after.lost = guards::check_claim(record, claim, intent)?;
    after.attempt += 1;
    let label = if claim.track_started { RunningLabel::Started } else { RunningLabel::Pending };
    after.state = JobState::Running(label);
    after.host = Some(claim.host.clone());
    after.started_at = Some(intent.now);
    after.token = Some(claim.token);
    after.delivery = Some(claim.delivery);
    after.msg_seq = Some(claim.msg_seq);
    // The first claim fixes what the submitter left open, so that a module that is pushed while the job waits
    // for a retry changes neither its version nor its number of attempts.
    after.digest = record.digest.or(claim.digest);
    after.max_attempts = record.max_attempts.or(claim.max_attempts);
    // Meta and usage are those of the attempt before.
    after.meta = None;
    after.usage = None;
    Ok(())
}
