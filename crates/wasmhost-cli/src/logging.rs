//! Log lines on standard error.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::out;

/// The variable that overrules `-v`, in the syntax of `RUST_LOG`.
const VARIABLE: &str = "WASMHOST_LOG";

/// Starts logging: warnings and our own information; `-v` adds our details, `-vv` everybody's.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => "warn,wasmhost_host=info,wasmhost=info",
        1 => {
            "info,wasmhost=debug,wasmhost_host=debug,wasmhost_nats=debug,wasmhost_client=debug,wasmhost_sandbox=debug"
        }
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(out::stderr_is_live())
        .with_target(false)
        .init();
}
