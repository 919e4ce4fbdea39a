//! The runtimes that commands run on, and what ends them early.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;
use crate::error::Exit;

/// Threads beside the caller's for guests of `run` and for compiling in `module push`.
const FEW_THREADS: usize = 2;

/// Runs a client's command to its end or to Ctrl-C.
pub(crate) fn client<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    current_thread()?.block_on(until_interrupted(command))
}

/// Runs a command that has guests or compiles.
pub(crate) fn sandbox<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = threads(FEW_THREADS)?;
    let ended = runtime.block_on(until_interrupted(command));
    runtime.shutdown_background();
    ended
}

/// A runtime for input and output.
pub(crate) fn current_thread() -> Result<Runtime, CliError> {
    Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))
}

/// The runtime for the guests of a host: a thread a core.
pub(crate) fn guests() -> Result<Runtime, CliError> {
    threads(std::thread::available_parallelism().map_or(1, usize::from))
}

fn threads(count: usize) -> Result<Runtime, CliError> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count).thread_name("wasmhost-guests").enable_all();
    builder.build().map_err(|error| failed(&error))
}

/// Completes at SIGINT, SIGTERM or SIGHUP: a terminal that is closed is no crash.
pub(crate) async fn stop_requested() -> Result<(), CliError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| failed(&error))?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| failed(&error))?;
    // Each is only a wake-up: nothing is lost with the others.
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}

async fn until_interrupted<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    // A client's command may be dropped anywhere: what it began on the server is whole or not begun.
    tokio::select! {
        ended = command => ended,
        _ = tokio::signal::ctrl_c() => Err(CliError::new(Exit::Interrupted, "interrupted; jobs that were submitted go on")),
    }
}

fn failed(error: &io::Error) -> CliError {
    CliError::new(Exit::Config, format_args!("starting the runtime: {error}"))
}
