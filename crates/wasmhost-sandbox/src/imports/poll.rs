//! `wasi:io/poll.poll` with a bound: a list may name one pollable a million times, and the host looks at each entry.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll::Host;

use crate::guest::{Guest, ImportLimitExceeded};

/// The version under which the engine links the interface; components that import another 0.2 version find it too.
const INTERFACE: &str = "wasi:io/poll@0.2.12";
/// The most pollables in one list.
const POLLABLES: usize = 1_000;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance(INTERFACE)?.func_wrap_async(
        "poll",
        |mut store: StoreContextMut<'_, Guest>, (list,): (Vec<Resource<DynPollable>>,)| {
            Box::new(async move {
                if list.len() > POLLABLES {
                    let length = list.len();
                    let text = format!("a list of {length} pollables; one call takes at most {POLLABLES}");
                    return Err(ImportLimitExceeded(text).into());
                }
                Ok((Host::poll(store.data_mut().table(), list).await?,))
            })
        },
    )
}
