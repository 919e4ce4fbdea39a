//! Everything a component may import: `wasmhost:task`, one file an interface, and WASI 0.2 with nothing granted.

mod bindings;
mod checkpoint;
mod config;
mod http;
mod job;
mod log;
mod poll;
mod sockets;
mod state;

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::guest::{Guest, TaskState};
use bindings::wasmhost::task::types;

impl types::Host for TaskState {}

/// The interfaces that [`linker`] provides, and the version that a component may ask for.
pub(crate) const PROVIDED: [(&str, &str, &[&str]); 8] = [
    ("wasmhost:task", "0.1.", &["types", "state", "job", "checkpoint", "log", "config"]),
    ("wasi:io", "0.2.", &["error", "poll", "streams"]),
    ("wasi:clocks", "0.2.", &["monotonic-clock", "wall-clock"]),
    ("wasi:random", "0.2.", &["random", "insecure", "insecure-seed"]),
    (
        "wasi:cli",
        "0.2.",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:filesystem", "0.2.", &["types", "preopens"]),
    (
        "wasi:sockets",
        "0.2.",
        &[
            "network",
            "instance-network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
            "ip-name-lookup",
        ],
    ),
    ("wasi:http", "0.2.", &["types", "outgoing-handler"]),
];

/// A linker with all of it.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::Imports::add_to_linker::<_, HasSelf<TaskState>>(&mut linker, |guest: &mut Guest| {
        &mut guest.task
    })?;
    linker.allow_shadowing(true);
    sockets::add_to_linker(&mut linker)?;
    http::add_to_linker(&mut linker)?;
    poll::add_to_linker(&mut linker)?;
    Ok(linker)
}
