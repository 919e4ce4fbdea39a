//! The artifact of a component: its native code, and behind it the component's description. Making one compiles the
//! component; loading one makes its code runnable in this process.

mod trailer;

use std::fs::File;
use std::os::fd::AsRawFd;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::description::{Description, describe};
use crate::load_error::LoadError;

/// Where the system shows a process the files that it has open.
pub(crate) const OPEN_FILES: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// An artifact that this host made.
#[derive(Debug)]
pub(crate) enum Artifact {
    /// The bytes that the compiler returned.
    InMemory(Vec<u8>),
    /// A file of the cache whose tag is valid.
    OnDisk {
        /// The open file. Nobody writes to it again: another artifact with its name is another file.
        file: File,
        /// The size of the artifact, in bytes; the file goes on behind it.
        bytes: u64,
    },
}

impl Artifact {
    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::InMemory(artifact) => artifact.len() as u64,
            Self::OnDisk { bytes, .. } => *bytes,
        }
    }

    /// The description behind the code; none where the artifact is cut off.
    pub(crate) fn description(&self) -> Option<Description> {
        match self {
            Self::InMemory(artifact) => trailer::read(artifact.as_slice(), artifact.len() as u64),
            Self::OnDisk { file, bytes } => trailer::read(file, *bytes),
        }
    }

    /// Makes the code runnable. A file of the cache is mapped: the system can take back the memory of code that does
    /// not run, and reads it again from the file.
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "the bytes come from this host's compiler, or from its cache with a valid tag"
        )]
        // SAFETY: `InMemory` holds only what `Compilation::compile` returned. `OnDisk` holds only what `Cache::read`
        // authenticated: that very file, opened once, in a directory that only this user writes to and that never
        // changes a file that has its name.
        unsafe {
            match self {
                // The engine finds the end of the code by itself, in memory as in a file.
                Self::InMemory(artifact) => Component::deserialize(engine, artifact),
                Self::OnDisk { file, .. } => {
                    Component::deserialize_file(engine, format!("{OPEN_FILES}/{}", file.as_raw_fd()))
                }
            }
        }
    }
}

/// Checks and compiles the component `wasm`, and returns the bytes of its artifact.
pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    // Reading the component refuses most bad ones for a fraction of what compiling costs.
    let description = describe(wasm)?;
    let mut artifact = engine
        .precompile_component(wasm)
        .map_err(|error| LoadError::from_compiler_text(&format!("{error:#}")))?;
    trailer::append(&mut artifact, &description)
        .map_err(|error| LoadError::Host(format!("describing the component: {error}")))?;
    Ok(artifact)
}
