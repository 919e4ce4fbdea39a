//! What compiling makes of a component: native code, and behind it the tasks that the code has. Both come from the compiling
//! child, so that no host reads the types of a stranger.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::component::{self, Memories};
use crate::load_error::LoadError;
use crate::tasks::Tasks;
use crate::validate::{check_bytes, check_imports};

/// Bytes of the number at the end: the length of the description before it.
const LENGTH_BYTES: usize = 8;

/// What stands behind the code.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) tasks: Tasks,
    /// The names of what it imports.
    pub(crate) imports: Vec<String>,
    pub(crate) memories: Memories,
}

/// Checks the component `wasm`, and says what is in it.
pub(crate) fn describe(wasm: &[u8]) -> Result<Description, LoadError> {
    check_bytes(wasm)?;
    let outside = component::read(wasm)?;
    check_imports(&outside.imports)?;
    let imports = outside.imports.iter().map(|import| import.name.clone()).collect();
    let memories = outside.memories;
    Ok(Description { tasks: Tasks::from_component(outside), imports, memories })
}

/// Checks and compiles the component `wasm`.
pub(crate) fn make(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    let description = describe(wasm)?;
    let mut artifact = engine
        .precompile_component(wasm)
        .map_err(|error| LoadError::from_compiler_text(&format!("{error:#}")))?;
    let code_bytes = artifact.len();
    serde_json::to_writer(&mut artifact, &description)
        .map_err(|error| LoadError::Host(format!("describing the component: {error}")))?;
    let length = (artifact.len() - code_bytes) as u64;
    artifact.extend_from_slice(&length.to_le_bytes());
    Ok(artifact)
}

/// What stands behind the code of an artifact of so many bytes; none where it is cut.
pub(crate) fn description(artifact: &(impl ReadAt + ?Sized), bytes: u64) -> Option<Description> {
    let behind = bytes.checked_sub(LENGTH_BYTES as u64)?;
    let mut length = [0; LENGTH_BYTES];
    artifact.read_at(&mut length, behind).ok()?;
    let length = u64::from_le_bytes(length);
    let start = behind.checked_sub(length)?;
    let mut text = vec![0; usize::try_from(length).ok()?];
    artifact.read_at(&mut text, start).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Bytes that are read from a place.
pub(crate) trait ReadAt {
    /// Fills the buffer from there on.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let start = usize::try_from(at).map_err(io::Error::other)?;
        let end = start.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.get(start..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.read_exact_at(buffer, at)
    }
}
