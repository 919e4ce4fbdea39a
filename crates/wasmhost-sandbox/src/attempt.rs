//! One attempt from its arguments to its outcome: a slot, a fresh store, the call, and whoever ends it first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

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

/// One attempt that was not started yet.
pub(crate) struct Attempt {
    module: Arc<LoadedModule>,
    run: AttemptRequest,
    updates: Arc<GuestUpdates>,
    control: Arc<Control>,
}

/// How a call ended.
enum End {
    Returned(Vec<Val>),
    Broke(wasmtime::Error),
    TimedOut,
    Stopped,
}

impl Attempt {
    pub(crate) fn new(
        module: Arc<LoadedModule>,
        run: AttemptRequest,
        updates: Arc<GuestUpdates>,
        control: Arc<Control>,
    ) -> Self {
        Self { module, run, updates, control }
    }

    /// Runs when there is a place for it, and says how it ended. Nobody left to hear it ends it too.
    pub(crate) async fn report(self, pool: &Pool, blocking: &Handle, mut ended: oneshot::Sender<Outcome>) {
        let (control, updates) = (self.control.clone(), self.updates.clone());
        // Dropping the run drops its store: the slot is clean at once, whatever the guest was doing.
        let outcome = tokio::select! {
            biased;
            () = ended.closed() => None,
            outcome = self.run(pool, blocking, &control) => Some(outcome),
        };
        updates.end_logs();
        if let Some(outcome) = outcome {
            ended.send(outcome).ok();
        }
    }

    async fn run(self, pool: &Pool, blocking: &Handle, control: &Control) -> Outcome {
        let _place = tokio::select! {
            biased;
            () = control.stopped() => return Outcome::without_run(Verdict::Cancelled),
            place = pool.acquire(self.module.needs) => place,
        };
        let observed = Observations::start(&self.run.limits);
        // What is converted beside the guest ends soon by itself; nobody waits for it.
        let judged = async {
            tokio::select! {
                biased;
                verdict = self.verdict(&observed, blocking) => verdict,
                () = control.stopped() => Verdict::Cancelled,
            }
        };
        let verdict = AssertUnwindSafe(judged).catch_unwind().await;
        let verdict = verdict.unwrap_or_else(|panic| Verdict::HostBug(panic_text(&*panic)));
        Outcome {
            verdict,
            usage: observed.meter.usage(),
            denied: observed.denials.list(),
            stderr: fault::stderr(&observed),
        }
    }

    async fn verdict(self, observed: &Observations, blocking: &Handle) -> Verdict {
        let task = match self.module.description.tasks.find(self.run.function.as_str()) {
            Ok(task) => task.clone(),
            Err(unknown) => return Verdict::UnknownFunction(unknown.to_string()),
        };
        let converter = Converter { meter: &observed.meter, blocking };
        let args = match converter.decode(&task, self.run.args.clone()).await {
            Ok(args) => args,
            Err(error) => return Verdict::BadArguments(error.to_string()),
        };
        let limits = self.run.limits.clone();
        let broken = FailedCall { task: &task, limits: &limits, observed };
        match self.call(&task, args, observed).await {
            End::Returned(results) => match converter.encode(&task, results, limits.result_bytes).await {
                Ok(verdict) => broken.explained(verdict),
                Err(error) => unusable(&error),
            },
            End::Broke(error) => broken.verdict(&error),
            End::TimedOut => broken.exceeded(Limit::Wall),
            End::Stopped => Verdict::Cancelled,
        }
    }

    /// Calls the task in a fresh store, until it returns, breaks, is stopped or its time is up.
    async fn call(self, task: &Task, args: Vec<Val>, observed: &Observations) -> End {
        let limits = self.run.limits.clone();
        let ends_at = Instant::now().checked_add(limits.timeout).unwrap_or_else(far_away);
        let (control, module) = (self.control.clone(), self.module.clone());
        let rate = task.host_bytes_per_charge();
        let mut store = Guest::store(&module.pre, self.task_state(ends_at, observed), observed, rate);
        let call = Metered::new(&observed.meter, call(&module, task, &mut store, args));
        let call = async {
            // A guest that ends within a tick of the clock would never be seen to be frozen.
            control.thawed().await;
            call.await
        };
        let soft_limit = async {
            if let Some(soft) = limits.soft_timeout {
                tokio::time::sleep(soft).await;
                control.cancel();
            }
            std::future::pending::<()>().await;
        };
        // Only the call has effects, and dropping it is the very means to end it.
        tokio::select! {
            biased;
            () = control.stopped() => End::Stopped,
            () = tokio::time::sleep_until(ends_at.into()) => End::TimedOut,
            () = soft_limit => End::Stopped,
            result = call => match result {
                Ok(results) => End::Returned(results),
                Err(error) => End::Broke(error),
            },
        }
    }

    fn task_state(self, ends_at: Instant, observed: &Observations) -> TaskState {
        TaskState {
            job: self.run.job,
            ends_at,
            limits: self.run.limits,
            config: self.run.config,
            checkpoint: self.run.checkpoint,
            updates: self.updates,
            control: self.control,
            refusals: observed.refusals.clone(),
        }
    }
}

async fn call(
    module: &LoadedModule,
    task: &Task,
    store: &mut Store<Guest>,
    args: Vec<Val>,
) -> wasmtime::Result<Vec<Val>> {
    let instance = module.pre.instantiate_async(&mut *store).await?;
    let interface = match &task.interface {
        Some(name) => Some(instance.get_export_index(&mut *store, None, name).ok_or_else(|| gone(name))?),
        None => None,
    };
    let function = instance.get_export_index(&mut *store, interface.as_ref(), task.function.as_str());
    let function = function.and_then(|index| instance.get_func(&mut *store, index));
    let function = function.ok_or_else(|| gone(task.function.as_str()))?;
    let mut results = vec![Val::Bool(false); usize::from(task.ty.result.is_some())];
    function.call_async(&mut *store, &args, &mut results).await?;
    Ok(results)
}

fn gone(name: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!("the export {name} is gone"))
}

fn unusable(error: &ResultError) -> Verdict {
    match error {
        ResultError::TooLarge { .. } => {
            Verdict::Exceeded(Limit::Result, Fault { message: error.to_string(), ..Fault::default() })
        }
        ResultError::NotJson(_) | ResultError::DuplicateName(_) => {
            Verdict::Failed { message: error.to_string(), details: None }
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the host panicked: {}", text.unwrap_or("without a message"))
}

/// A month, where a deadline cannot be counted.
fn far_away() -> Instant {
    Instant::now() + std::time::Duration::from_secs(30 * 24 * 3600)
}
