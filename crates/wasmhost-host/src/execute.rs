//! Running a claimed attempt: its module is fetched, its guest started and attended until there is an outcome. What follows
//! from the outcome, and its record, are not decided here.

mod guest_logs;
mod start;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wasmhost_nats::limited;
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_sandbox::{AttemptHandle, LogLines, PendingUpdates, Sandbox};

use crate::attempt::Attempt;
use crate::lease::{Fenced, stop_time};
use crate::life_cycle::LifeCycle;
use crate::loading::ModuleLoader;
use crate::storage::Storage;
use guest_logs::GuestLogs;

/// A job that starts sooner says nothing of what it waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs attempts.
pub(crate) struct Executor {
    storage: Storage,
    life: LifeCycle,
    sandbox: Sandbox,
    modules: ModuleLoader,
}

impl Executor {
    pub(crate) fn new(storage: &Storage, life: &LifeCycle, sandbox: Sandbox) -> Self {
        let modules = ModuleLoader::new(&storage.connection, life, &sandbox);
        Self { storage: storage.clone(), life: life.clone(), sandbox, modules }
    }

    /// Runs the attempt, and keeps its lease meanwhile. Fenced: another owns the job now, and nothing is said of this attempt.
    pub(crate) async fn run(&self, attempt: &mut Attempt) -> Result<Outcome, Fenced> {
        let mut logs = GuestLogs::new(&attempt.lease);
        let outcome = match attempt.lease.begin().await {
            Ok(()) => self.start_and_attend(attempt, &mut logs).await,
            Err(Fenced) => Err(Fenced),
        };
        if outcome.is_err() {
            let Attempt { checkpoints, lease, .. } = attempt;
            drop(checkpoints.give_up(lease, &self.life));
            let attempt = lease.record().attempt;
            limited!(warn, job.key = %lease.delivery().key, job.attempt = attempt, "lost the lease");
        }
        outcome
    }

    async fn start_and_attend(&self, attempt: &mut Attempt, logs: &mut GuestLogs) -> Result<Outcome, Fenced> {
        let mut starting = std::pin::pin!(self.start(attempt));
        let says_at = Instant::now() + PATIENCE;
        let mut said = false;
        loop {
            let stop_at = attempt.lease.stop_at();
            // Dropping the other arms loses nothing: what is due for the lease, and a revoke, are seen again at the next turn.
            tokio::select! {
                biased;
                started = &mut starting => return match started {
                    Ok(guest) => self.attend(attempt, guest, logs).await,
                    Err(verdict) => Ok(Outcome::without_run(verdict)),
                },
                due = attempt.lease.due() => attempt.lease.attend_to(due).await?,
                () = sleep_until(says_at), if !said => {
                    said = true;
                    self.say_what_it_waits_for(attempt, logs);
                }
                () = stop_time(stop_at) => return Ok(Outcome::without_run(Verdict::Cancelled)),
                () = self.life.draining.cancelled() => return Ok(Outcome::without_run(Verdict::Cancelled)),
            }
        }
    }

    /// Tells whoever follows the job's log why nothing happens.
    fn say_what_it_waits_for(&self, attempt: &Attempt, logs: &GuestLogs) {
        let record = attempt.lease.record();
        let described =
            record.digest.and_then(|digest| self.modules.describe(&record.task.module(), &digest));
        if let Some(what) = described {
            logs.note("info", &format!("{what}; the time limits of the job begin after that"));
        }
    }

    async fn attend(
        &self,
        attempt: &mut Attempt,
        mut guest: AttemptHandle,
        logs: &mut GuestLogs,
    ) -> Result<Outcome, Fenced> {
        let mut lines = guest.updates.logs();
        let mut stopped = false;
        let mut progress = Progress { waits: false, next_write_at: Instant::now() };
        loop {
            guest.control.renew(attempt.lease.lapses_at().into_std());
            let revoked = attempt.lease.is_revoked();
            if revoked {
                guest.control.cancel();
            }
            let stop_at = attempt.lease.stop_at();
            let probation_ends_at = attempt.probation_ends_at();
            // Dropping the other arms loses nothing: each waits for something that stays so until it is taken.
            let kept = tokio::select! {
                biased;
                outcome = &mut guest.outcome => {
                    return take_last_updates(attempt, &guest, (&mut lines, logs), &mut progress)
                        .await
                        .map(|()| outcome);
                }
                due = attempt.lease.due() => attempt.lease.attend_to(due).await,
                () = stop_time(stop_at), if !stopped => { stopped = true; guest.control.stop(); Ok(()) }
                () = self.life.draining.cancelled(), if !stopped => {
                    stopped = true;
                    guest.control.stop();
                    Ok(())
                }
                () = guest.updates.changed(), if !progress.waits => { progress.waits = true; Ok(()) }
                () = sleep_until(progress.next_write_at), if progress.waits => {
                    progress.publish(attempt, guest.updates.take()).await
                }
                step = attempt.checkpoints.next_step(), if !revoked => {
                    attempt.checkpoints.take_step(step, &mut attempt.lease).await
                }
                Some(line) = lines.recv() => {
                    let held = attempt.lease.check_held().await;
                    if held.is_ok() {
                        logs.publish(&line);
                    }
                    held
                }
                () = sleep_until(probation_ends_at.unwrap_or(progress.next_write_at)), if probation_ends_at.is_some() => {
                    attempt.end_probation();
                    Ok(())
                }
            };
            if kept.is_err() {
                guest.control.stop();
                return Err(Fenced);
            }
        }
    }
}

/// States that a guest published and that are not written yet: coalesced, at most so many a second as its policy says.
struct Progress {
    /// Whether there is something to write.
    waits: bool,
    next_write_at: Instant,
}

impl Progress {
    /// Writes the newest state. The newest checkpoint is stored beside.
    async fn publish(
        &mut self,
        attempt: &mut Attempt,
        updates: Option<PendingUpdates>,
    ) -> Result<(), Fenced> {
        self.waits = false;
        let PendingUpdates { update, checkpoint } = updates.unwrap_or_default();
        if let Some(checkpoint) = checkpoint {
            attempt.checkpoints.hold(checkpoint);
        }
        if let Some(update) = update {
            let shown = Transition::Progress { state: update.state, meta: update.meta };
            attempt.lease.write_progress(shown).await?;
        }
        let rate = attempt.policy.limits.updates_per_second.max(1);
        self.next_write_at = Instant::now() + Duration::from_secs(1) / rate;
        Ok(())
    }
}

/// Publishes what the guest left behind when it ended.
async fn take_last_updates(
    attempt: &mut Attempt,
    guest: &AttemptHandle,
    (lines, logs): (&mut LogLines, &mut GuestLogs),
    progress: &mut Progress,
) -> Result<(), Fenced> {
    attempt.lease.check_held().await?;
    while let Some(line) = lines.try_recv() {
        logs.publish(&line);
    }
    logs.conclude(guest.updates.dropped_lines());
    progress.publish(attempt, guest.updates.take()).await
}
