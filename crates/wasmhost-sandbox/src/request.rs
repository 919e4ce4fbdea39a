//! What a host asks for when it starts an attempt, and what it holds while the attempt runs.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::oneshot;
use wasmhost_protocol::ids::{FunctionName, JobId, QueueName, TaskName};
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::timestamp::Timestamp;

use crate::control::Control;
use crate::updates::GuestUpdates;

/// An attempt to start. [`AttemptRequest::new`] makes one without configuration, checkpoint and lease.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AttemptRequest {
    /// What the guest learns of its job.
    pub job: JobContext,
    /// The function to call.
    pub function: FunctionChoice,
    /// The arguments as JSON text; empty for none.
    pub args: Bytes,
    /// What the attempt may use.
    pub limits: Limits,
    /// What the guest reads through `wasmhost:task/config`.
    pub config: BTreeMap<String, String>,
    /// The newest checkpoint of the job.
    pub checkpoint: Option<Bytes>,
    /// Until when the guest may run, unless [`Control::renew`] moves it; none: for ever.
    pub lease_end: Option<Instant>,
}

impl AttemptRequest {
    /// An attempt at a function with these arguments, within these limits.
    #[must_use]
    pub fn new(job: JobContext, function: FunctionChoice, args: Bytes, limits: Limits) -> Self {
        let config = BTreeMap::new();
        Self { job, function, args, limits, config, checkpoint: None, lease_end: None }
    }
}

/// How a request names the function of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionChoice {
    /// By the name of the function alone, as tasks are named.
    Named(FunctionName),
    /// By `INTERFACE#FUNCTION`, as local runs may name it.
    Qualified(String),
}

impl From<FunctionName> for FunctionChoice {
    fn from(name: FunctionName) -> Self {
        Self::Named(name)
    }
}

impl FunctionChoice {
    /// The text by which the function is looked up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Named(name) => name.as_str(),
            Self::Qualified(text) => text,
        }
    }
}

/// What a guest learns of its job and of this attempt at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobContext {
    /// The id of the job.
    pub id: JobId,
    /// The task of the job.
    pub task: TaskName,
    /// The queue that the job waited in.
    pub queue: QueueName,
    /// The number of this attempt, counted from 1.
    pub attempt: u32,
    /// How many attempts there are in all, where the job or its module says so.
    pub max_attempts: Option<u32>,
    /// When the job was submitted.
    pub submitted_at: Timestamp,
    /// When this attempt is stopped.
    pub deadline: Timestamp,
}

/// A running attempt. Dropping its outcome stops it.
#[derive(Debug)]
#[non_exhaustive]
pub struct AttemptHandle {
    /// How the attempt ends.
    pub outcome: OutcomeFuture,
    /// What the guest posts while it runs.
    pub updates: Arc<GuestUpdates>,
    /// Stops the attempt and renews its lease.
    pub control: Arc<Control>,
}

/// A future of the outcome of an attempt. It never fails: if the runtime of the guests goes away, the outcome says so.
#[derive(Debug)]
pub struct OutcomeFuture(pub(crate) oneshot::Receiver<Outcome>);

impl Future for OutcomeFuture {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        Pin::new(&mut self.0).poll(cx).map(|received| {
            received.unwrap_or_else(|_| {
                Outcome::without_run(Verdict::HostBug("the attempt's own task went away".to_owned()))
            })
        })
    }
}
