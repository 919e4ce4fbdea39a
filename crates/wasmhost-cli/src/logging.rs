//! Log lines on standard error.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::cli::Command;
use crate::output;

/// The variable that overrules `-v`, in the syntax of `RUST_LOG`.
const VARIABLE: &str = "WASMHOST_LOG";

/// Starts logging. A host tells warnings and what it does, a client only its errors, which are no log lines; `-v` adds
/// our details, `-vv` everybody's.
pub(crate) fn start(command: &Command, verbose: u8) {
    let level = match verbose {
        0 if matches!(command, Command::Serve(_) | Command::Dev(_)) => "warn,wasmhost_host=info",
        0 => "off",
        1 => {
            "info,wasmhost=debug,wasmhost_host=debug,wasmhost_nats=debug,wasmhost_client=debug,wasmhost_sandbox=debug"
        }
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(output::stderr_is_live())
        .with_target(false)
        .init();
}
