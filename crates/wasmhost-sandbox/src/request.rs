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

/// One attempt to start.
#[derive(Debug, Clone)]
pub struct AttemptRequest {
    /// What the guest is told of its job.
    pub job: JobContext,
    /// The function to call.
    pub function: FunctionChoice,
    /// The arguments, JSON text; empty for none.
    pub args: Bytes,
    /// What the attempt may use.
    pub limits: Limits,
    /// What the guest reads through `wasmhost:task/config`.
    pub config: BTreeMap<String, String>,
    /// The newest checkpoint of the job.
    pub checkpoint: Option<Bytes>,
    /// The guest may run until then, or as long as [`Control::renew`] says; none: for ever.
    pub lease_end: Option<Instant>,
}

/// How a function of a component is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionChoice {
    /// By its name alone, as tasks are.
    Named(FunctionName),
    /// `INTERFACE#FUNCTION`, for local runs.
    Qualified(String),
}

impl From<FunctionName> for FunctionChoice {
    fn from(name: FunctionName) -> Self {
        Self::Named(name)
    }
}

impl FunctionChoice {
    /// The text by which it is looked up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Named(name) => name.as_str(),
            Self::Qualified(text) => text,
        }
    }
}

/// The job and this attempt at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobContext {
    /// The job's id.
    pub id: JobId,
    /// The task.
    pub task: TaskName,
    /// The queue that the job waited in.
    pub queue: QueueName,
    /// This attempt, counted from 1.
    pub attempt: u32,
    /// How many attempts there are in all, where somebody says so.
    pub max_attempts: Option<u32>,
    /// When the job was submitted.
    pub submitted_at: Timestamp,
    /// When this attempt is stopped.
    pub deadline: Timestamp,
}

/// A running attempt. Dropping the outcome stops it.
#[derive(Debug)]
pub struct AttemptHandle {
    /// How it ends.
    pub outcome: OutcomeFuture,
    /// What the guest posts on its way.
    pub updates: Arc<GuestUpdates>,
    /// Steers it.
    pub control: Arc<Control>,
}

/// A future of the outcome. It never fails: a guests' runtime that went away is a verdict too.
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
