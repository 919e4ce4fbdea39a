//! Runs one attempt from its arguments to its outcome: waits for room in the pool, makes a fresh store, calls the task,
//! and ends the call by whatever comes first.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use wasmhost_protocol::outcome::{Fault, Limit, Outcome, Verdict};
use wasmtime::Store;
use wasmtime::component::Val;

use crate::codec::{Converter, ResultError};
use crate::control::Control;
use crate::fault::{self, FailedCall};
use crate::guest::{Guest, Observations, TaskState};
use crate::load::LoadedModule;
use crate::meter::Metered;
use crate::pool::Pool;
use crate::request::AttemptRequest;
use crate::tasks::Task;
use crate::updates::GuestUpdates;

/// An attempt that has not been started yet.
pub(crate) struct Attempt {
    module: Arc<LoadedModule>,
    request: AttemptRequest,
    updates: Arc<GuestUpdates>,
    control: Arc<Control>,
}

/// How a call ended.
enum CallEnd {
    Returned(Vec<Val>),
    Failed(wasmtime::Error),
    TimedOut,
    Stopped,
}

impl Attempt {
    pub(crate) fn new(
        module: Arc<LoadedModule>,
        request: AttemptRequest,
        updates: Arc<GuestUpdates>,
        control: Arc<Control>,
    ) -> Self {
        Self { module, request, updates, control }
    }

    /// Runs the attempt and sends its outcome. It ends early if nobody waits for the outcome any more.
    pub(crate) async fn report(self, pool: &Pool, blocking: &Handle, mut ended: oneshot::Sender<Outcome>) {
        let updates = self.updates.clone();
        // Dropping the run drops the store: the slot is free at once, whatever the guest was doing.
        let outcome = tokio::select! {
            biased;
            () = ended.closed() => None,
            outcome = self.run(pool, blocking) => Some(outcome),
        };
        // The outcome comes first: whoever waits for both is woken once, and takes the lines that are left.
        if let Some(outcome) = outcome {
            ended.send(outcome).ok();
        }
        updates.end_logs();
    }

    async fn run(self, pool: &Pool, blocking: &Handle) -> Outcome {
        let control = self.control.clone();
        // A revoke ends the wait for a slot. The wall time has not begun, as the job must not pay for a busy host.
        let _permit = tokio::select! {
            biased;
            () = control.stopped() => return Outcome::without_run(Verdict::Cancelled),
            permit = pool.acquire(self.module.needs) => permit,
        };
        let observations = Observations::start(&self.request.limits);
        let stoppable = async {
            tokio::select! {
                biased;
                verdict = self.verdict(&observations, blocking) => verdict,
                // A conversion that runs on another thread is not waited for; it soon ends by itself.
                () = control.stopped() => Verdict::Cancelled,
            }
        };
        // A bug of this crate costs one attempt and not the host, which has to go on with its other jobs.
        let verdict = AssertUnwindSafe(stoppable).catch_unwind().await;
        let verdict = verdict.unwrap_or_else(|panic| Verdict::HostBug(panic_text(&*panic)));
        Outcome {
            verdict,
            usage: observations.meter.usage(),
            denied: observations.denials.list(),
            stderr: fault::stderr(&observations),
        }
    }

    async fn verdict(self, observations: &Observations, blocking: &Handle) -> Verdict {
        let task = match self.module.description.tasks.find(self.request.function.as_str()) {
            Ok(task) => task.clone(),
            Err(unknown) => return Verdict::UnknownFunction(unknown.to_string()),
        };
        let converter = Converter { meter: &observations.meter, blocking };
        let args = match converter.decode(&task, self.request.args.clone()).await {
            Ok(args) => args,
            Err(error) => return Verdict::BadArguments(error.to_string()),
        };
        let limits = self.request.limits.clone();
        let failed = FailedCall { task: &task, limits: &limits, observations };
        match self.call(&task, args, observations).await {
            CallEnd::Returned(results) => match converter.encode(&task, results, limits.result_bytes).await {
                Ok(verdict) => failed.explain(verdict),
                Err(error) => result_refused(&error),
            },
            CallEnd::Failed(error) => failed.verdict(&error),
            CallEnd::TimedOut => failed.limit_exceeded(Limit::Wall, None),
            CallEnd::Stopped => Verdict::Cancelled,
        }
    }

    /// Calls the task in a fresh store, until it returns, fails, is stopped or has no time left.
    async fn call(self, task: &Task, args: Vec<Val>, observations: &Observations) -> CallEnd {
        let ends_at =
            Instant::now().checked_add(self.request.limits.timeout).unwrap_or_else(far_in_the_future);
        let soft_timeout = self.request.limits.soft_timeout;
        let control = self.control.clone();
        let module = self.module.clone();
        let state = self.task_state(ends_at, observations);
        let mut store = Guest::store(&module.pre, state, observations, task.host_bytes_per_charge());
        let call = Metered::new(&observations.meter, call(&module, task, &mut store, args));
        let call = async {
            // The clock freezes only guests that compute across a tick; a shorter one would run without its lease.
            control.thawed().await;
            call.await
        };
        // Dropping any of these is safe: only the call has effects, and dropping it is the way to end it.
        tokio::select! {
            biased;
            () = control.stopped() => CallEnd::Stopped,
            () = tokio::time::sleep_until(ends_at.into()) => CallEnd::TimedOut,
            never = cancel_after(soft_timeout, &control) => match never {},
            result = call => match result {
                Ok(results) => CallEnd::Returned(results),
                Err(error) => CallEnd::Failed(error),
            },
        }
    }

    fn task_state(self, ends_at: Instant, observations: &Observations) -> TaskState {
        TaskState {
            job: self.request.job,
            ends_at,
            limits: self.request.limits,
            config: self.request.config,
            checkpoint: self.request.checkpoint,
            updates: self.updates,
            control: self.control,
            refusals: observations.refusals.clone(),
        }
    }
}

/// Asks the task to stop after its soft timeout, and then waits for ever: the task ends as it likes.
async fn cancel_after(soft_timeout: Option<Duration>, control: &Control) -> Infallible {
    if let Some(soft_timeout) = soft_timeout {
        tokio::time::sleep(soft_timeout).await;
        control.cancel();
    }
    std::future::pending().await
}

async fn call(
    module: &LoadedModule,
    task: &Task,
    store: &mut Store<Guest>,
    args: Vec<Val>,
) -> wasmtime::Result<Vec<Val>> {
    let instance = module.pre.instantiate_async(&mut *store).await?;
    let interface = match &task.interface {
        Some(name) => Some(instance.get_export_index(&mut *store, None, name).ok_or_else(|| missing(name))?),
        None => None,
    };
    let function = instance.get_export_index(&mut *store, interface.as_ref(), task.function.as_str());
    let function = function.and_then(|index| instance.get_func(&mut *store, index));
    let function = function.ok_or_else(|| missing(task.function.as_str()))?;
    // The engine overwrites the values and checks only how many there are.
    let mut results = vec![Val::Bool(false); usize::from(task.ty.result.is_some())];
    function.call_async(&mut *store, &args, &mut results).await?;
    Ok(results)
}

/// The error of an export that the description has and the code has not.
fn missing(name: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!("the export {name} is gone"))
}

fn result_refused(error: &ResultError) -> Verdict {
    match error {
        ResultError::TooLarge { .. } => {
            Verdict::Exceeded(Limit::Result, Fault { message: error.to_string(), ..Fault::default() })
        }
        ResultError::NotJson(_) | ResultError::DuplicateName(_) => {
            Verdict::Failed { message: error.to_string(), details: None }
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the host panicked: {}", text.unwrap_or("without a message"))
}

/// A deadline in a month, where the timeout is too long for the system's clock.
fn far_in_the_future() -> Instant {
    Instant::now() + Duration::from_secs(30 * 24 * 3600)
}
