//! Links everything that a component may import: `wasmhost:task`, in one file for each interface, and WASI 0.2 with no
//! power granted.

mod bindings;
mod checkpoint;
mod config;
mod http;
mod job;
mod log;
mod poll;
mod provided;
mod sockets;
mod state;

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::guest::{Guest, TaskState};
use bindings::wasmhost::task::types;
pub(crate) use provided::{PROVIDED, ProvidedPackage};

impl types::Host for TaskState {}

/// Makes a linker with everything that [`PROVIDED`] lists.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::Imports::add_to_linker::<_, HasSelf<TaskState>>(&mut linker, |guest: &mut Guest| {
        &mut guest.task
    })?;
    // The functions of this crate replace those of WASI that were linked before them.
    linker.allow_shadowing(true);
    sockets::add_to_linker(&mut linker)?;
    http::add_to_linker(&mut linker)?;
    poll::add_to_linker(&mut linker)?;
    Ok(linker)
}
