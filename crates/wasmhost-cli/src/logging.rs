//! Log lines on standard error.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::output;

/// The variable that overrules `-v`, in the syntax of `RUST_LOG`.
const VARIABLE: &str = "WASMHOST_LOG";

/// What a command logs unless the user asks for more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DefaultLog {
    /// Nothing: the errors of a client's command are no log lines.
    Nothing,
    /// Warnings, and what the host does.
    Host,
}

/// Starts logging. `-v` adds the details of wasmhost, and `-vv` those of all crates.
pub(crate) fn start(default_log: DefaultLog, verbose: u8) {
    let level = match (verbose, default_log) {
        (0, DefaultLog::Host) => "warn,wasmhost_host=info",
        (0, DefaultLog::Nothing) => "off",
        (1, _) => {
            "info,wasmhost=debug,wasmhost_host=debug,wasmhost_nats=debug,wasmhost_client=debug,wasmhost_sandbox=debug"
        }
        (_, _) => "debug",
    };
    // A variable that is no filter counts as unset, since a host is worth more than its log.
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(output::stderr_is_live())
        .with_target(false)
        .init();
}
