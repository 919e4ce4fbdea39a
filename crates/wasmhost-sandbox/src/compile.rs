//! Turns a component into an artifact. Compiling somebody else's code can take any time and memory, so a host lets a
//! child do it: the same binary under a hidden subcommand, limited before it reads a byte.

mod child;
mod parent;
mod sections;
mod turns;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmhost_protocol::ids::ModuleName;
use wasmtime::Engine;

pub use child::{COMPILE_SUBCOMMAND, compile_child_main};
pub(crate) use turns::CompilePermit;

use crate::artifact;
use crate::load_error::LoadError;
use turns::CompileQueue;

/// Components that are compiled at once.
const AT_ONCE: usize = 2;

/// Who compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// This process: for local runs and tests of trusted components.
    InProcess,
    /// A child process.
    Child {
        /// A program whose subcommand [`COMPILE_SUBCOMMAND`] is [`compile_child_main`].
        exe: PathBuf,
    },
}

/// Compiles at most two components at once, of two modules.
#[derive(Debug)]
pub(crate) struct Compilation {
    compiler: Compiler,
    turns: Arc<CompileQueue>,
}

impl Compilation {
    pub(crate) fn new(compiler: Compiler) -> Self {
        Self { compiler, turns: CompileQueue::new(AT_ONCE) }
    }

    /// Waits for the turn of a version of this module.
    pub(crate) async fn turn(&self, module: &ModuleName) -> CompilePermit {
        self.turns.take(module).await
    }

    /// The artifact of `wasm` for `engine`, made in a turn, which is over with it.
    pub(crate) async fn artifact(
        &self,
        turn: CompilePermit,
        engine: &Engine,
        blocking: &Handle,
        wasm: Bytes,
    ) -> Result<Vec<u8>, LoadError> {
        match &self.compiler {
            Compiler::InProcess => {
                let engine = engine.clone();
                let compiled = blocking.spawn_blocking(move || {
                    let _turn = turn;
                    artifact::make(&engine, &wasm)
                });
                compiled.await.map_err(|error| LoadError::Host(format!("compiling: {error}")))?
            }
            Compiler::Child { exe } => {
                let _turn = turn;
                parent::compile(exe, &wasm).await
            }
        }
    }
}
