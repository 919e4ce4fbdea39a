//! Compiles components into artifacts. Compiling a stranger's code can take any time and memory, so that hosts leave it
//! to a child process: the same program under a hidden subcommand, which limits itself before it reads a byte.

mod child;
mod parent;
mod queue;
mod sections;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmhost_protocol::ids::ModuleName;
use wasmtime::Engine;

use crate::artifact;
use crate::load_error::LoadError;
pub use child::{COMPILE_SUBCOMMAND, compile_child_main};
pub(crate) use queue::CompilePermit;
use queue::CompileQueue;

/// How many components a host compiles at once. Each child may take 2 GiB of addresses and several threads, and jobs of modules
/// that are loaded already run meanwhile.
const AT_ONCE: usize = 2;

/// Where components are compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// In this process, without the limits of a child: for local runs and tests of trusted components.
    InProcess,
    /// In a child process.
    Child {
        /// A program whose subcommand [`COMPILE_SUBCOMMAND`] calls [`compile_child_main`].
        exe: PathBuf,
    },
}

/// Compiles a few components at once, each of another module.
#[derive(Debug)]
pub(crate) struct Compilation {
    compiler: Compiler,
    /// The engine of the host, for compiling in this process.
    engine: Engine,
    blocking: Handle,
    queue: Arc<CompileQueue>,
}

impl Compilation {
    pub(crate) fn new(compiler: Compiler, engine: Engine, blocking: Handle) -> Self {
        Self { compiler, engine, blocking, queue: CompileQueue::new(AT_ONCE) }
    }

    /// Waits until a version of this module may be compiled.
    pub(crate) async fn permit(&self, module: &ModuleName) -> CompilePermit {
        self.queue.acquire(module).await
    }

    /// Compiles `wasm` into an artifact, and gives the permit back.
    pub(crate) async fn compile(&self, permit: CompilePermit, wasm: Bytes) -> Result<Vec<u8>, LoadError> {
        match &self.compiler {
            Compiler::InProcess => {
                let engine = self.engine.clone();
                let compiling = self.blocking.spawn_blocking(move || {
                    // The work goes on when nobody waits for it any more; the permit is given back only after it.
                    let _permit = permit;
                    artifact::compile(&engine, &wasm)
                });
                compiling.await.map_err(|error| LoadError::Host(format!("compiling: {error}")))?
            }
            Compiler::Child { exe } => {
                let _permit = permit;
                parent::compile(exe, &wasm).await
            }
        }
    }
}
