//! Counts the objects of `wasi:http/types` that a guest holds, since they live in the memory of the host.

use std::any::Any;

use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::p2::bindings::http::types::{
    Fields, OutgoingBody, OutgoingRequest, OutgoingResponse, RequestOptions,
};

use super::errors::ImportLimitExceeded;

/// The most messages, bodies, fields and options that a guest may hold at a time.
const OBJECTS: usize = 128;

/// An upper bound of the objects that the guest holds: those of the last count, and all that were made since.
#[derive(Debug, Default)]
pub(crate) struct HttpObjects(usize);

impl HttpObjects {
    /// Counts an object that is about to be made, or refuses it.
    pub(crate) fn add(&mut self, table: &mut ResourceTable) -> Result<(), ImportLimitExceeded> {
        self.0 += 1;
        // Nothing tells when an object is dropped. The table is searched only when there seem to be too many.
        if self.0 > OBJECTS {
            self.0 = 1 + table.iter_mut().filter(|entry| is_http_object(*entry)).count();
        }
        if self.0 > OBJECTS {
            let text = format!("more than {OBJECTS} HTTP messages, bodies and fields at a time");
            return Err(ImportLimitExceeded(text));
        }
        Ok(())
    }
}

fn is_http_object(entry: &dyn Any) -> bool {
    entry.is::<Fields>()
        || entry.is::<OutgoingRequest>()
        || entry.is::<OutgoingResponse>()
        || entry.is::<OutgoingBody>()
        || entry.is::<RequestOptions>()
}
