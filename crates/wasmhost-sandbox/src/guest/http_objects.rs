//! How many objects of `wasi:http/types` a guest holds.

use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::p2::bindings::http::types::{
    Fields, OutgoingBody, OutgoingRequest, OutgoingResponse, RequestOptions,
};

use super::errors::ImportLimitExceeded;

/// Messages, bodies, fields and options that a guest may hold at a time.
const OBJECTS: usize = 128;

/// Objects made since they were counted, and those that there were then.
#[derive(Debug, Default)]
pub(crate) struct HttpObjects(usize);

impl HttpObjects {
    /// Counts one that is about to be made. Those that were dropped meanwhile are found only when there seem to be too many.
    pub(crate) fn add(&mut self, table: &mut ResourceTable) -> Result<(), ImportLimitExceeded> {
        self.0 += 1;
        if self.0 > OBJECTS {
            self.0 = 1 + table.iter_mut().filter(|entry| is_object(*entry)).count();
        }
        if self.0 > OBJECTS {
            return Err(ImportLimitExceeded(format!(
                "more than {OBJECTS} HTTP messages, bodies and fields at a time"
            )));
        }
        Ok(())
    }
}

fn is_object(entry: &dyn std::any::Any) -> bool {
    entry.is::<Fields>()
        || entry.is::<OutgoingRequest>()
        || entry.is::<OutgoingResponse>()
        || entry.is::<OutgoingBody>()
        || entry.is::<RequestOptions>()
}
