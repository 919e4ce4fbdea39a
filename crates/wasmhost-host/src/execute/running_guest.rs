//! A guest that runs, and the publication of what it shows: its log lines, its custom state and its checkpoints.

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_protocol::machine::Transition;
use wasmhost_sandbox::{AttemptHandle, GuestLine, LogLines, PendingUpdates};

use super::guest_logs::GuestLogs;
use crate::attempt::Attempt;
use crate::lease::Fenced;

/// A guest that runs.
pub(super) struct RunningGuest<'a> {
    pub(super) handle: AttemptHandle,
    pub(super) lines: LogLines,
    logs: &'a mut GuestLogs,
    pub(super) progress: Progress,
    /// Whether the guest was told to stop.
    pub(super) stop_sent: bool,
}

/// When the guest's updates are written. They are coalesced, at most as many a second as the policy says: each write is a
/// revision of the record, which everybody watches.
pub(super) struct Progress {
    /// Whether there is an update to write.
    pub(super) is_pending: bool,
    pub(super) next_write_at: Instant,
}

impl<'a> RunningGuest<'a> {
    /// Creates the view of a guest that was just started.
    pub(super) fn new(handle: AttemptHandle, logs: &'a mut GuestLogs) -> Self {
        let lines = handle.updates.logs();
        let progress = Progress { is_pending: false, next_write_at: Instant::now() };
        Self { handle, lines, logs, progress, stop_sent: false }
    }

    /// Lets the guest run until the lease lapses: after that it stands still, since another host may have the job. A guest whose
    /// job is revoked is told so.
    pub(super) fn follow_lease(&self, lapses_at: Instant, revoked: bool) {
        self.handle.control.renew(lapses_at.into_std());
        if revoked {
            self.handle.control.cancel();
        }
    }

    /// Stops the guest, whatever it does.
    pub(super) fn stop(&mut self) {
        self.stop_sent = true;
        self.handle.control.stop();
    }

    /// Publishes one log line.
    pub(super) async fn publish_line(
        &mut self,
        attempt: &mut Attempt,
        line: GuestLine,
    ) -> Result<(), Fenced> {
        // A host that slept must not tell what its guest did, if another host runs the job by now.
        attempt.lease.check_held().await?;
        self.logs.publish(line);
        Ok(())
    }

    /// Writes the guest's newest custom state, and hands its newest checkpoint over to be stored.
    pub(super) async fn publish_progress(&mut self, attempt: &mut Attempt) -> Result<(), Fenced> {
        let updates = self.handle.updates.take();
        self.progress.is_pending = false;
        let PendingUpdates { update, checkpoint } = updates.unwrap_or_default();
        // Storing takes long and is not awaited here: it must hold up neither a revoke nor a beat.
        if let Some(checkpoint) = checkpoint {
            attempt.checkpoints.save(checkpoint);
        }
        if let Some(update) = update {
            let transition = Transition::Progress { state: update.state, meta: update.meta };
            // Boxed: most guests publish nothing.
            Box::pin(attempt.lease.write_progress(transition)).await?;
        }
        let rate = attempt.policy.limits.updates_per_second.max(1);
        self.progress.next_write_at = Instant::now() + Duration::from_secs(1) / rate;
        Ok(())
    }

    /// Publishes what the guest left behind when it ended.
    pub(super) async fn publish_rest(&mut self, attempt: &mut Attempt) -> Result<(), Fenced> {
        attempt.lease.check_held().await?;
        while let Some(line) = self.lines.try_recv() {
            self.logs.publish(line);
        }
        self.logs.report_dropped(self.handle.updates.dropped_lines());
        self.publish_progress(attempt).await
    }
}
