//! What a host has to know of a component beside its code: its tasks, its imports and the needs of its memories.

use serde::{Deserialize, Serialize};

use crate::component::{self, Memories};
use crate::load_error::LoadError;
use crate::tasks::Tasks;
use crate::validate::{check_bytes, check_imports};

/// The description of a component. The compiling child writes it behind the code, so that no host reads the types of a
/// component that it does not trust.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    /// The tasks of the component.
    pub(crate) tasks: Tasks,
    /// The names of its imports.
    pub(crate) imports: Vec<String>,
    /// What its memories need.
    pub(crate) memories: Memories,
}

/// Checks and describes the component `wasm`.
pub(crate) fn describe(wasm: &[u8]) -> Result<Description, LoadError> {
    check_bytes(wasm)?;
    let component = component::read(wasm)?;
    check_imports(&component.imports)?;
    let imports = component.imports.iter().map(|import| import.name.clone()).collect();
    let memories = component.memories;
    Ok(Description { tasks: Tasks::from_component(component), imports, memories })
}
