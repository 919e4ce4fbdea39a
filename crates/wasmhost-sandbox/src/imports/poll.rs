//! `wasi:io/poll.poll` with a bound: a list may name one pollable a million times, and each is looked at.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll::Host;

use crate::guest::{Guest, ImportLimitExceeded};

/// The interface, as the engine's own definition calls it.
const POLL: &str = "wasi:io/poll@0.2.12";
/// Pollables in one list.
const MOST: usize = 1_000;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance(POLL)?.func_wrap_async(
        "poll",
        |mut store: StoreContextMut<'_, Guest>, (list,): (Vec<Resource<DynPollable>>,)| {
            Box::new(async move {
                if list.len() > MOST {
                    let text = format!("a list of {} pollables; one call takes at most {MOST}", list.len());
                    return Err(ImportLimitExceeded(text).into());
                }
                let (_, table) = store.data_mut().http_objects();
                Ok((Host::poll(table, list).await?,))
            })
        },
    )
}
