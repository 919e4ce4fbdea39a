//! The runtimes that commands run on, and the signals that end them early.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{CliError, Exit};

/// How many threads there are beside the caller's, for guests of `run` and for compiling in `module push`.
const FEW_THREADS: usize = 2;

/// Runs a client's command to its end or to Ctrl-C.
pub(crate) fn client<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    current_thread()?.block_on(until_interrupted(command))
}

/// Runs a command that runs guests or compiles to its end or to Ctrl-C.
pub(crate) fn sandbox<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = threads(FEW_THREADS)?;
    let ended = runtime.block_on(until_interrupted(command));
    // A guest may be in the middle of a computation, for which the end of the program does not wait.
    runtime.shutdown_background();
    ended
}

/// Makes a runtime for input and output.
pub(crate) fn current_thread() -> Result<Runtime, CliError> {
    Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))
}

/// Makes the runtime for the guests of a host, with a thread for each core.
pub(crate) fn guests() -> Result<Runtime, CliError> {
    threads(std::thread::available_parallelism().map_or(1, usize::from))
}

fn threads(count: usize) -> Result<Runtime, CliError> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count).thread_name("wasmhost-guests").enable_all();
    builder.build().map_err(|error| failed(&error))
}

/// Completes at SIGINT, SIGTERM or SIGHUP. A terminal that is closed asks to stop like Ctrl-C does.
pub(crate) async fn stop_requested() -> Result<(), CliError> {
    // All are registered before any is waited for, so that none ends the program by default.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| failed(&error))?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| failed(&error))?;
    // Each arm only waits for a signal, and dropping it loses nothing.
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}

async fn until_interrupted<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    // A command may be dropped anywhere: each of its writes on the server is done as a whole or not at all.
    tokio::select! {
        ended = command => ended,
        _ = tokio::signal::ctrl_c() => Err(CliError::new(Exit::Interrupted, "interrupted; jobs that were submitted go on")),
    }
}

fn failed(error: &io::Error) -> CliError {
    CliError::new(Exit::Config, format_args!("starting the runtime: {error}"))
}
