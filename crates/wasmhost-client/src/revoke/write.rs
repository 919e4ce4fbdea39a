//! The writes of a revoke. A job that does not run is ended by the client itself. A running one is asked to stop, and its
//! host ends it.

use std::time::Duration;

use wasmhost_nats::{Written, now, schedules};
use wasmhost_protocol::bounds;
use wasmhost_protocol::machine::{Transition, transition};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{JobState, Record, Revoke, StoredEntry};

use super::RevokeOptions;
use super::error::RevokeError;
use crate::intent::client_intent;
use crate::job::JobHandle;

/// The record as it was written, or what stands under the key instead.
pub(super) type Attempted = Result<Record, StoredEntry>;

impl JobHandle {
    /// Ends a job that does not run. Its message is left to a host, which removes it by what the record says.
    pub(super) async fn end_revoked(
        &self,
        record: &Record,
        revision: u64,
        options: &RevokeOptions,
    ) -> Result<Attempted, RevokeError> {
        let intent = client_intent(Transition::Revoked { reason: options.reason.clone(), usage: None });
        let ended = transition(Some(record), &intent).expect("a client may end a job that does not run");
        // The record must still be there when the message of a scheduled job becomes due. A time that no server can count
        // to is taken as the latest that one can, since the server would delete the record at once otherwise.
        let due_in =
            record.state.not_before().map_or(Duration::ZERO, |at| bounds::TIME.clamp(at).since(intent.now));
        let kept = Policy::default().terminal_ttl(record, None);
        let written = self.write(ended, revision, Some(kept + due_in)).await?;
        // Not before the record says REVOKED: a job that is still PENDING and has no schedule would be ended by a reconciler.
        if written.is_ok() && matches!(record.state, JobState::Pending { not_before: Some(_) }) {
            self.unschedule().await;
        }
        Ok(written)
    }

    async fn unschedule(&self) {
        if let Err(error) = schedules::unschedule(self.client.connection(), &self.key).await {
            tracing::warn!(job.key = %self.key, %error, "the schedule of a revoked job stays until it is due");
        }
    }

    /// Asks a running job to stop, and wakes its host.
    pub(super) async fn ask_to_stop(
        &self,
        record: &Record,
        revision: u64,
        options: &RevokeOptions,
    ) -> Result<Attempted, RevokeError> {
        let revoke = Revoke { reason: options.reason.clone(), stop_at: now().plus(options.grace) };
        let written = match transition(Some(record), &client_intent(Transition::RequestRevoke(revoke))) {
            Ok(asked) => self.write(asked, revision, None).await?,
            // An earlier request has an earlier time to stop, and stays.
            Err(_) => Ok(record.clone()),
        };
        if written.is_ok() {
            self.wake_host().await;
        }
        Ok(written)
    }

    async fn write(
        &self,
        record: Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<Attempted, RevokeError> {
        match self.client.records().write(&self.key, &record, expected, ttl).await {
            Ok(Written::Stored(_)) => Ok(Ok(record)),
            Ok(Written::Superseded(stored)) => Ok(Err(stored)),
            Err(source) => Err(RevokeError::Write { key: self.key.clone(), source }),
        }
    }

    /// Tells all hosts of the request. A lost broadcast costs only time: the host also finds the request at its next beat or
    /// write.
    async fn wake_host(&self) {
        if let Err(error) = self.client.connection().broadcast_revoke(&self.key).await {
            tracing::warn!(job.key = %self.key, %error, "the host of a revoked job is not woken; it finds out by itself");
        }
    }
}
