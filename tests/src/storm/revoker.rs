//! Revokes jobs, and follows some to their end. The answers that clients get are part of the evidence.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use wasmhost_audit::Watch;
use wasmhost_client::{JobHandle, RevokeError, RevokeOptions};

use super::{
    job::Revoke,
    notes::{Hit, Notes},
};

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Revokes a job again and again until there is an answer: REVOKED, another end, or that the job runs.
pub(super) async fn revoke(job: &JobHandle, how: Revoke, notes: &Arc<Notes>) {
    sleep(how.after).await;
    notes.fault("revoke", Hit::job(job.key()));
    loop {
        let mut options = RevokeOptions::new("the storm").with_grace(how.grace);
        options.if_queued = how.if_queued;
        let answer = match job.revoke_with(options).await {
            Ok(record) => record.label().as_str().to_owned(),
            Err(RevokeError::TooLate { record }) => record.label().as_str().to_owned(),
            Err(RevokeError::AlreadyRunning { .. }) => "already running".to_owned(),
            Err(_) => {
                sleep(PAUSE).await;
                continue;
            }
        };
        return notes.revoke(job.key(), &answer);
    }
}

/// Follows a job to its end.
pub(super) async fn watch(job: &JobHandle, notes: &Arc<Notes>) {
    let mut states = loop {
        match job.watch().await {
            Ok(states) => break states,
            Err(_) => sleep(PAUSE).await,
        }
    };
    let mut revisions = Vec::new();
    let mut stayed = false;
    while let Some(record) = states.next().await {
        revisions.push(states.revision());
        stayed = record.is_terminal();
    }
    notes.watch(Watch { key: job.key().clone(), revisions, stayed });
}
