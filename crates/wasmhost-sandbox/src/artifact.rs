//! What compiling makes of a component: native code, and behind it the tasks that the code has. Both come from the compiling
//! child, so that no host reads the types of a stranger.

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::component;
use crate::load::LoadError;
use crate::tasks::Tasks;
use crate::validate::{check_bytes, check_imports, explain};

/// Bytes of the number at the end: the length of the description before it.
const LENGTH_BYTES: usize = 8;

/// What stands behind the code.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) tasks: Tasks,
    /// The names of what it imports.
    pub(crate) imports: Vec<String>,
    /// The size that its largest memory starts with, in bytes.
    pub(crate) first_memory_bytes: u64,
}

/// Checks and compiles the component `wasm`.
pub(crate) fn make(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    check_bytes(wasm)?;
    let outside = component::read(wasm)?;
    check_imports(&outside.imports)?;
    let imports = outside.imports.iter().map(|import| import.name.clone()).collect();
    let first_memory_bytes = outside.first_memory_bytes;
    let description = Description { tasks: Tasks::of(outside), imports, first_memory_bytes };
    let mut artifact = engine.precompile_component(wasm).map_err(|error| explain(&format!("{error:#}")))?;
    let code_bytes = artifact.len();
    serde_json::to_writer(&mut artifact, &description)
        .map_err(|error| LoadError::Host(format!("describing the component: {error}")))?;
    let length = (artifact.len() - code_bytes) as u64;
    artifact.extend_from_slice(&length.to_le_bytes());
    Ok(artifact)
}

/// The code and the description of an artifact; none where it is cut.
pub(crate) fn split(artifact: &[u8]) -> Option<(&[u8], Description)> {
    let (rest, length) = artifact.split_last_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (code, description) = rest.split_at_checked(rest.len().checked_sub(length)?)?;
    Some((code, serde_json::from_slice(description).ok()?))
}
