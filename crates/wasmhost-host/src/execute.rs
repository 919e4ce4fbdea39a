//! Running a claimed attempt: its module is loaded, its guest is started, and both guest and lease are attended to until there
//! is an outcome. What follows from the outcome, and its record, are decided elsewhere.

mod guest_logs;
mod prepared;
mod running_guest;
mod start;

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wasmhost_nats::limited;
use wasmhost_protocol::log::LogLevel;
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_sandbox::{AttemptHandle, Sandbox};

use crate::attempt::Attempt;
use crate::lease::{Fenced, stop_time};
use crate::life_cycle::LifeCycle;
use crate::loading::ModuleLoader;
use crate::storage::Storage;
use guest_logs::GuestLogs;
use prepared::Prepared;
use running_guest::RunningGuest;

/// How long a job waits for its module before its log says so.
const WAIT_NOTE_AFTER: Duration = Duration::from_secs(1);

/// Runs attempts.
pub(crate) struct Executor {
    storage: Storage,
    life: LifeCycle,
    sandbox: Sandbox,
    modules: ModuleLoader,
}

impl Executor {
    /// Creates the executor of a host.
    pub(crate) fn new(storage: &Storage, life: &LifeCycle, sandbox: Sandbox) -> Self {
        let modules = ModuleLoader::new(&storage.connection, life, &sandbox);
        Self { storage: storage.clone(), life: life.clone(), sandbox, modules }
    }

    /// Runs the attempt, and keeps its lease meanwhile. Of a fenced attempt nothing is published any more; its checkpoints that
    /// are stored already are left to the reconciler.
    pub(crate) async fn run(&self, attempt: &mut Attempt) -> Result<Outcome, Fenced> {
        let mut logs = GuestLogs::new(&attempt.lease);
        let outcome = match attempt.lease.check_before_start().await {
            Ok(()) => self.start_and_supervise(attempt, &mut logs).await,
            Err(Fenced) => Err(Fenced),
        };
        if outcome.is_err() {
            let Attempt { checkpoints, lease, .. } = attempt;
            drop(checkpoints.release(lease, &self.life));
            let attempt = lease.record().attempt;
            limited!(warn, job.key = %lease.delivery().key, job.attempt = attempt, "lost the lease");
        }
        outcome
    }

    async fn start_and_supervise(
        &self,
        attempt: &mut Attempt,
        logs: &mut GuestLogs,
    ) -> Result<Outcome, Fenced> {
        let prepared = match self.prepared(attempt) {
            Some(prepared) => prepared,
            // Boxed: most guests find everything in memory.
            None => match Box::pin(self.load_and_wait(attempt, logs)).await? {
                Ok(prepared) => prepared,
                Err(verdict) => return Ok(Outcome::without_run(verdict)),
            },
        };
        let guest = self.start(attempt, prepared);
        self.supervise(attempt, guest, logs).await
    }

    /// Waits until everything is loaded, and keeps the attempt's lease meanwhile. The error of the result is the verdict of an
    /// attempt that ends without a run.
    async fn load_and_wait(
        &self,
        attempt: &mut Attempt,
        logs: &GuestLogs,
    ) -> Result<Result<Prepared, Verdict>, Fenced> {
        let mut loading = pin!(self.load(attempt));
        let note_at = Instant::now() + WAIT_NOTE_AFTER;
        let mut is_noted = false;
        loop {
            let stop_at = attempt.lease.stop_at();
            // Dropping the other arms loses nothing: what is due for the lease, and a revoke, are found again at the next turn.
            tokio::select! {
                biased;
                prepared = &mut loading => return Ok(prepared),
                event = attempt.lease.next_event() => attempt.lease.handle(event).await?,
                () = sleep_until(note_at), if !is_noted => {
                    is_noted = true;
                    self.log_wait_reason(attempt, logs);
                }
                () = stop_time(stop_at) => return Ok(Err(Verdict::Cancelled)),
                () = self.life.handing_off.cancelled() => return Ok(Err(Verdict::Cancelled)),
            }
        }
    }

    /// Tells whoever follows the job's log why nothing happens.
    fn log_wait_reason(&self, attempt: &Attempt, logs: &GuestLogs) {
        let record = attempt.lease.record();
        let reason = record.digest.and_then(|digest| self.modules.describe(&record.task.module(), &digest));
        if let Some(reason) = reason {
            logs.note(LogLevel::Info, format!("{reason}; the time limits of the job begin after that"));
        }
    }

    /// Attends to a running guest and to the attempt's lease, until the guest has an outcome.
    async fn supervise(
        &self,
        attempt: &mut Attempt,
        handle: AttemptHandle,
        logs: &mut GuestLogs,
    ) -> Result<Outcome, Fenced> {
        let mut guest = RunningGuest::new(handle, logs);
        loop {
            let revoked = attempt.lease.is_revoked();
            guest.follow_lease(attempt.lease.lapses_at(), revoked);
            let stop_at = attempt.lease.stop_at();
            let probation_ends_at = attempt.probation_ends_at();
            // Dropping the other arms loses nothing: each waits for something that stays so until it is taken. The order is that
            // of urgency: an outcome ends everything, and a chatty guest must not starve the lease.
            let held = tokio::select! {
                biased;
                outcome = &mut guest.handle.outcome => {
                    return guest.publish_rest(attempt).await.map(|()| outcome);
                }
                event = attempt.lease.next_event() => attempt.lease.handle(event).await,
                () = stop_time(stop_at), if !guest.stop_sent => { guest.stop(); Ok(()) }
                () = self.life.handing_off.cancelled(), if !guest.stop_sent => { guest.stop(); Ok(()) }
                () = guest.handle.updates.changed(), if !guest.progress.is_pending => {
                    guest.progress.is_pending = true;
                    Ok(())
                }
                () = sleep_until(guest.progress.next_write_at), if guest.progress.is_pending => {
                    guest.publish_progress(attempt).await
                }
                // While a revoke is recorded, no checkpoint is named: the job will not go on.
                step = attempt.checkpoints.next_step(), if !revoked => {
                    Box::pin(attempt.checkpoints.take_step(step, &mut attempt.lease)).await
                }
                Some(line) = guest.lines.recv() => guest.publish_line(attempt, line).await,
                () = sleep_until(probation_ends_at.unwrap_or(guest.progress.next_write_at)), if probation_ends_at.is_some() => {
                    attempt.end_probation();
                    Ok(())
                }
            };
            if held.is_err() {
                guest.stop();
                return Err(Fenced);
            }
        }
    }
}
