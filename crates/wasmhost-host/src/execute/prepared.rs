//! What a guest needs before it starts.

use std::sync::Arc;

use bytes::Bytes;
use wasmhost_sandbox::LoadedModule;

/// What a guest needs before it starts.
pub(super) struct Prepared {
    pub(super) module: Arc<LoadedModule>,
    pub(super) checkpoint: Option<Bytes>,
}
