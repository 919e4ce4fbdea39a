//! A claimed attempt's hold on its record and its delivery. The one owner of the record's newest revision on this host:
//! progress, beats, revoke and the terminal write all go through it, so that they do not fence each other.

mod checkpoints;
mod publish;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, Delivered, fault, limited, now};
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::Attempt;
use wasmhost_sandbox::AttemptHandle;

use crate::delivery::Delivery;
use crate::host::{Host, random_fraction};
use crate::logs::{self, Allowance};
use crate::quarantine::QuarantinePermit;
use crate::record::StoredResult;
use crate::running_leases::{Registration, Wake};
use crate::settle::in_progress;
use checkpoints::Checkpoints;

/// A job that starts sooner says nothing of what it waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// A claimed attempt's hold on its record and delivery.
pub(crate) struct Lease {
    pub(crate) host: Host,
    pub(crate) delivery: Delivery,
    pub(crate) record: Record,
    pub(crate) revision: u64,
    pub(crate) token: Token,
    policy: Policy,
    registered: Registration,
    /// Without a successful beat until then, the attempt is no longer ours.
    lapses_at: Instant,
    /// When the next beat is due, whatever is awaited by then.
    next_beat_at: Instant,
    /// The earliest time of the next progress write.
    next_write_at: Instant,
    checkpoints: Checkpoints,
    /// What its guest may still log.
    pub(crate) logs: Allowance,
    /// The result, where it is a blob.
    pub(crate) result: Option<StoredResult>,
    /// A suspect's; the next one may begin when it is dropped.
    quarantine: Option<QuarantinePermit>,
    /// When a suspect that lives is one no longer.
    probation_ends_at: Instant,
}

/// How the attending ended.
pub(crate) enum Attended {
    /// The attempt has an outcome, and the record is still ours as far as we know.
    Ended(Outcome),
    /// Another owns the job now: say nothing.
    Fenced,
}

/// The record is another's now.
pub(crate) struct Fenced;

impl Lease {
    /// Of a delivery that is known to be held since `held_at`: from then on the lease counts, not from the answer to the
    /// claim, over which the host may have slept.
    pub(crate) fn new(
        host: &Host,
        (delivery, held_at): (Delivery, Instant),
        (record, revision): (Record, u64),
        policy: Policy,
        turn: Option<QuarantinePermit>,
    ) -> Self {
        let token = record.token.expect("a claim sets the token");
        let registered = host.leases.register(&delivery.key, token);
        let now = Instant::now();
        let lapses_at = held_at + host.config.ack_wait;
        // At once for a message that was delivered before, which may have waited on its way.
        let first = held_at + host.config.ack_wait / 3;
        let next_beat_at = if delivery.delivery.count > 1 { now } else { first };
        let (host, ack_wait) = (host.clone(), host.config.ack_wait);
        let checkpoints = Checkpoints::new(record.checkpoint.clone());
        Self {
            host,
            delivery,
            record,
            revision,
            token,
            policy,
            registered,
            lapses_at,
            next_beat_at,
            next_write_at: now,
            checkpoints,
            logs: Allowance::new(),
            result: None,
            quarantine: turn,
            probation_ends_at: now + ack_wait,
        }
    }

    /// The record as this owner knows it.
    pub(crate) fn known(&self) -> &Record {
        &self.record
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn arguments(&self) -> &Bytes {
        self.delivery.body()
    }

    pub(crate) fn message(&self) -> &Delivered {
        &self.delivery.message
    }

    /// Without a successful beat until then, the attempt is no longer ours.
    pub(crate) fn lapses_at(&self) -> Instant {
        self.lapses_at
    }

    /// The wall limit: the job's own, never over the policy's.
    pub(crate) fn timeout(&self) -> Duration {
        let allowed = self.policy.limits.timeout;
        self.delivery.options.timeout.map_or(allowed, |asked| asked.min(allowed))
    }

    /// How long the terminal record is kept.
    pub(crate) fn result_ttl(&self) -> Duration {
        self.delivery.result_ttl(&self.policy)
    }

    /// What `decide` needs to know.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        let draining = self.host.draining.is_cancelled();
        Attempt { record: &self.record, retry: &self.policy.retry, draining, jitter: random_fraction() }
    }

    /// Keeps the lease while the attempt starts and runs, and writes what it publishes.
    pub(crate) async fn attend<F>(&mut self, starting: F) -> Attended
    where
        F: Future<Output = Result<AttemptHandle, Verdict>>,
    {
        // A host that slept over the answer to its claim looks before its guest starts: the job may have ended meanwhile.
        let now = Instant::now();
        let kept = if self.lapses_at <= now {
            self.check_lapsed().await
        } else if self.next_beat_at <= now {
            self.beat().await
        } else {
            Ok(())
        };
        let attended = if kept.is_ok() { self.attend_start(starting).await } else { Attended::Fenced };
        if matches!(attended, Attended::Fenced) {
            drop(self.give_up_checkpoints());
            limited!(warn, job.key = %self.delivery.key, job.attempt = self.record.attempt, "lost the lease");
        }
        attended
    }

    async fn attend_start<F>(&mut self, starting: F) -> Attended
    where
        F: Future<Output = Result<AttemptHandle, Verdict>>,
    {
        let mut starting = std::pin::pin!(starting);
        let (says_at, mut said) = (Instant::now() + PATIENCE, false);
        loop {
            // Dropping the other arms loses nothing: a beat, a wake and a revoke are each seen again at the next turn.
            tokio::select! {
                biased;
                started = &mut starting => return match started {
                    Ok(running) => self.attend_running(running).await,
                    Err(verdict) => Attended::Ended(Outcome::without_run(verdict)),
                },
                wake = self.registered.woken() => if self.woken(wake).await.is_err() { return Attended::Fenced },
                () = sleep_until(self.next_beat_at) => if self.beat().await.is_err() { return Attended::Fenced },
                () = sleep_until(self.lapses_at) => {
                    if self.check_lapsed().await.is_err() { return Attended::Fenced }
                }
                () = sleep_until(says_at), if !said => { said = true; self.say_what_it_waits_for(); }
                () = stop_time(&self.record) => return Attended::Ended(Outcome::without_run(Verdict::Cancelled)),
                () = self.host.draining.cancelled() => {
                    return Attended::Ended(Outcome::without_run(Verdict::Cancelled));
                }
            }
        }
    }

    /// Tells whoever follows the job's log why nothing happens.
    fn say_what_it_waits_for(&self) {
        let described = self
            .record
            .digest
            .and_then(|digest| self.host.loading.describe(&self.record.task.module(), &digest));
        if let Some(what) = described {
            logs::note(self, "info", &format!("{what}; the time limits of the job begin after that"));
        }
    }

    async fn attend_running(&mut self, mut running: AttemptHandle) -> Attended {
        let draining = self.host.draining.clone();
        let mut lines = running.updates.logs();
        let (mut stopped, mut posted) = (false, false);
        loop {
            running.control.renew(self.lapses_at.into_std());
            if self.record.revoke.is_some() {
                running.control.cancel();
            }
            // Dropping the other arms loses nothing: each looks at state that stands until it is taken.
            let kept = tokio::select! {
                biased;
                outcome = &mut running.outcome => {
                    if self.check_unless_held().await.is_err() {
                        return Attended::Fenced;
                    }
                    while let Some(line) = lines.try_recv() {
                        logs::publish(self, &line);
                    }
                    logs::conclude(self, running.updates.dropped_lines());
                    return match self.publish(running.updates.take()).await {
                        Ok(()) => Attended::Ended(outcome),
                        Err(Fenced) => Attended::Fenced,
                    };
                }
                wake = self.registered.woken() => self.woken(wake).await,
                () = sleep_until(self.next_beat_at) => self.beat().await,
                () = sleep_until(self.lapses_at) => self.check_lapsed().await,
                () = stop_time(&self.record), if !stopped => { stopped = true; running.control.stop(); Ok(()) }
                () = draining.cancelled(), if !stopped => { stopped = true; running.control.stop(); Ok(()) }
                () = running.updates.changed(), if !posted => { posted = true; Ok(()) }
                () = sleep_until(self.next_write_at), if posted => {
                    posted = false;
                    self.publish(running.updates.take()).await
                }
                step = self.checkpoints.next_step(), if self.record.revoke.is_none() => self.step(step).await,
                Some(line) = lines.recv() => {
                    let kept = self.check_unless_held().await;
                    if kept.is_ok() {
                        logs::publish(self, &line);
                    }
                    kept
                }
                () = sleep_until(self.probation_ends_at), if self.is_on_probation() => { self.quarantine = None; Ok(()) }
            };
            if kept.is_err() {
                running.control.stop();
                return Attended::Fenced;
            }
        }
    }

    /// Whether others wait for this suspect to show that it lives.
    fn is_on_probation(&self) -> bool {
        self.quarantine.as_ref().is_some_and(|turn| turn.ends_with_probation)
    }

    async fn woken(&mut self, wake: Wake) -> Result<(), Fenced> {
        match wake {
            Wake::Refresh => self.refresh(self.lapses_at).await.map(drop),
            Wake::Adopt(delivery) => {
                // After reading that the claim stands, and not back to an older delivery.
                let other = delivery.msg_seq != self.delivery.msg_seq;
                let newer = delivery.delivery > self.delivery.delivery;
                if self.refresh(self.lapses_at).await? && (other || newer) {
                    self.delivery = *delivery;
                    self.extend_ack().await;
                }
                Ok(())
            }
        }
    }

    /// R9: first the record, then the acknowledgement that the attempt goes on.
    async fn beat(&mut self) -> Result<(), Fenced> {
        self.next_beat_at = Instant::now() + self.host.config.ack_wait / 3;
        if self.refresh(self.lapses_at).await? {
            self.extend_ack().await;
        }
        Ok(())
    }

    /// Tells JetStream that the attempt goes on. Whether it could.
    pub(crate) async fn extend_ack(&mut self) -> bool {
        let asked_at = Instant::now();
        let told = in_progress(&self.host.connection, &self.delivery.message).await;
        if told {
            self.lapses_at = asked_at + self.host.config.ack_wait;
        }
        told
    }

    /// What the guest did is told only by whoever holds the job: a host that slept looks first.
    async fn check_unless_held(&mut self) -> Result<(), Fenced> {
        fault::point("before-guest-is-heard");
        if Instant::now() < self.lapses_at { Ok(()) } else { self.check_lapsed().await }
    }

    /// R9: no beat in time. Where the host was paused the claim may stand all the same: one look more, while the guest
    /// stands still. Without an answer the lease is over.
    async fn check_lapsed(&mut self) -> Result<(), Fenced> {
        if self.refresh(Instant::now() + ANSWER_TIMEOUT).await? && self.extend_ack().await {
            limited!(warn, job.key = %self.delivery.key, "went on after a pause longer than ack_wait");
            return Ok(());
        }
        Err(Fenced)
    }

    /// Reads the record, and adopts what others wrote into it. False: no answer in time, which leaves the lease to lapse.
    pub(crate) async fn refresh(&mut self, until: Instant) -> Result<bool, Fenced> {
        if fault::is_broken("naive-writer") {
            return Ok(true);
        }
        let read = timeout_at(until, self.host.records.read(&self.delivery.key)).await;
        let Ok(Ok(stored)) = read else { return Ok(false) };
        match stored {
            StoredEntry::Record { record, revision }
                if record.token == Some(self.token) && !record.is_terminal() =>
            {
                self.accept_revision(*record, revision);
                Ok(true)
            }
            StoredEntry::Absent
            | StoredEntry::Deleted(_)
            | StoredEntry::Record { .. }
            | StoredEntry::Unreadable { .. }
            | StoredEntry::Newer { .. } => Err(Fenced),
        }
    }

    /// Awaits what may take long, and holds on to the delivery meanwhile. The record is only looked at, not adopted: a
    /// write that is under way finds out by itself what became of it.
    pub(crate) async fn hold_on_while<F: Future>(&mut self, awaited: F) -> F::Output {
        let mut awaited = std::pin::pin!(awaited);
        loop {
            // A beat that is dropped for the end is still due: whatever is awaited next begins with it.
            tokio::select! {
                biased;
                output = &mut awaited => return output,
                () = self.keep_delivery() => {}
            }
        }
    }

    /// The next beat, when it is due, of one that only looks.
    async fn keep_delivery(&mut self) {
        sleep_until(self.next_beat_at).await;
        let read = self.host.records.read(&self.delivery.key).await;
        if let Ok(StoredEntry::Record { record, .. }) = read
            && record.token == Some(self.token)
            && !record.is_terminal()
        {
            self.extend_ack().await;
        }
        self.next_beat_at = Instant::now() + self.host.config.ack_wait / 3;
    }

    pub(crate) fn accept_revision(&mut self, record: Record, revision: u64) {
        self.record = record;
        self.revision = revision;
    }

    /// A name in the blob store that no other claim of any job uses.
    pub(crate) fn blob_name(&self, kind: &str) -> String {
        let token = format!("{}-{kind}", self.token);
        self.host.connection.names.blob_name(&self.delivery.key, self.record.attempt, &token)
    }
}

/// When a revoked guest must have stopped; never, where nothing was revoked.
async fn stop_time(record: &Record) {
    match &record.revoke {
        Some(revoke) => tokio::time::sleep(revoke.stop_at.since(now())).await,
        None => std::future::pending().await,
    }
}
