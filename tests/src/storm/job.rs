//! A job of a storm: what it does, how it is submitted, and what is done to it meanwhile.

use std::time::Duration;

use serde_json::{Value, json};

/// The module whose task does what its arguments say.
pub(super) const STORM: &str = "storm";

/// The same component under a policy that gives up after two lost claims, for jobs whose host is killed each time.
pub(super) const KILLER: &str = "killer";

/// The same component under a policy that runs each job at most once.
pub(super) const FRAGILE: &str = "fragile";

/// A job of a storm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job's id, unique in the storm.
    pub id: String,
    /// When the job is submitted, from the start of the storm.
    pub at: Duration,
    /// What the job does.
    pub behaviour: Behaviour,
    /// Who submits the job.
    pub route: Route,
    /// Whether and how the job is submitted again.
    pub again: Option<Again>,
    /// By how long the job is delayed, where it is.
    pub delay: Option<Duration>,
    /// Whether and how the job is revoked.
    pub revoke: Option<Revoke>,
    /// Whether a client follows the job to its end.
    pub watched: bool,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Returns at once.
    Quick,
    /// Sleeps, and never writes progress.
    Silent(Duration),
    /// Writes progress while it sleeps.
    Progress(Duration, u32),
    /// Sleeps in its first attempt only, for longer than a lease, so that a second host ends it before the first one wakes.
    SlowFirst(Duration),
    /// Fails in the first attempts, and then succeeds.
    Fails(u32, How),
    /// Traps in every attempt.
    Traps,
    /// Fails for good.
    Refuses,
    /// Returns more than fits into a record.
    Large,
    /// Sleeps, and does not survive the loss of its host.
    Fragile(Duration),
    /// Its host is killed whenever it runs.
    KillsHost,
}

/// How an attempt fails that another one fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The task returns an error.
    Failed,
    /// The task asks for a retry, soon.
    Retry,
    /// The guest panics.
    Panic,
    /// The guest traps.
    Trap,
}

/// Who submits a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The client, with a record before the message.
    Client,
    /// Any NATS client, with an id.
    Raw,
    /// Any NATS client, without an id.
    RawWithoutId,
    /// Any NATS client. When the job runs, its message is deleted, and another one with the same id is published.
    Orphan,
    /// A client that dies when it has written the record, before the message.
    Abandoned,
}

/// A job that is submitted once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// By the same client at the same time.
    AtOnce,
    /// By the same client, this much later.
    Later(Duration),
    /// By any NATS client into another queue, this much later.
    OtherQueue(Duration),
}

/// A job that is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoke {
    /// How long after it was accepted the job is revoked.
    pub after: Duration,
    /// The time that a running task is given.
    pub grace: Duration,
    /// Whether only a queued job is revoked, and a running one goes on.
    pub if_queued: bool,
}

/// The error of a job whose hosts died too often.
const WORKER_LOST: &str = "WorkerLost";

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    /// With an error of this kind.
    Failure(&'static str),
    /// In SUCCESS or with an error of this kind, depending on the faults.
    SuccessOr(&'static str),
}

impl Job {
    /// The name of the job's task.
    #[must_use]
    pub fn task(&self) -> String {
        let module = match self.behaviour {
            Behaviour::KillsHost => KILLER,
            Behaviour::Fragile(_) => FRAGILE,
            Behaviour::Quick
            | Behaviour::Silent(_)
            | Behaviour::Progress(..)
            | Behaviour::SlowFirst(_)
            | Behaviour::Fails(..)
            | Behaviour::Traps
            | Behaviour::Refuses
            | Behaviour::Large => STORM,
        };
        format!("{module}.run")
    }

    /// The job's key. A job without an id gets another one from the server.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}.{}", self.task(), self.id)
    }

    /// How the job ends if it is not revoked, whatever happens to its hosts.
    pub(super) fn ending(&self) -> Ending {
        match (self.route, self.behaviour) {
            (Route::Abandoned, _) => Ending::Failure("NotPublished"),
            (_, Behaviour::Traps) => Ending::Failure("Trapped"),
            (_, Behaviour::Refuses) => Ending::Failure("Permanent"),
            (_, Behaviour::KillsHost) => Ending::Failure(WORKER_LOST),
            (_, Behaviour::Fragile(_)) => Ending::SuccessOr(WORKER_LOST),
            (
                _,
                Behaviour::Quick
                | Behaviour::Silent(_)
                | Behaviour::Progress(..)
                | Behaviour::SlowFirst(_)
                | Behaviour::Fails(..)
                | Behaviour::Large,
            ) => Ending::Success,
        }
    }
}

impl Behaviour {
    /// The arguments that make the task behave like this.
    #[must_use]
    pub fn arguments(self) -> Value {
        match self {
            Self::Quick => json!({}),
            Self::Silent(sleep) | Self::Fragile(sleep) => json!({ "sleep_ms": ms(sleep) }),
            Self::Progress(sleep, steps) => json!({ "sleep_ms": ms(sleep), "steps": steps }),
            Self::SlowFirst(sleep) => json!({ "sleep_ms": ms(sleep), "slow_until_attempt": 1 }),
            Self::Fails(times, How::Retry) => json!({ "fail_times": times, "how": "retry", "after_ms": 100 }),
            Self::Fails(times, how) => json!({ "fail_times": times, "how": how.word() }),
            Self::Traps => json!({ "fail_times": 1_000, "how": "trap" }),
            Self::Refuses => json!({ "fail_times": 1_000, "how": "permanent" }),
            Self::Large => json!({ "result_bytes": 100_000 }),
            Self::KillsHost => json!({ "kills_host": true }),
        }
    }

    /// How many attempts the job needs, where it is more than one.
    pub(super) fn max_attempts(self) -> Option<u32> {
        match self {
            Self::Fails(times, _) => Some(times + 1),
            Self::Traps => Some(2),
            Self::Quick
            | Self::Silent(_)
            | Self::Progress(..)
            | Self::SlowFirst(_)
            | Self::Refuses
            | Self::Large
            | Self::Fragile(_)
            | Self::KillsHost => None,
        }
    }
}

impl How {
    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Retry => "retry",
            Self::Panic => "panic",
            Self::Trap => "trap",
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
