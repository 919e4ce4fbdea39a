//! Turns a component into an artifact. Compiling somebody else's code can take any time and memory, so a host lets a
//! child do it: the same binary under a hidden subcommand, limited before it reads a byte.

mod child;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::Engine;

pub use child::compile_child_main;

use crate::artifact;
use crate::load::LoadError;

/// The hidden subcommand of the compiling child.
pub const COMPILE_SUBCOMMAND: &str = "compile-component";
/// Components that are compiled at once.
const AT_ONCE: usize = 2;
/// The longest that one compilation may take.
const WALL: Duration = Duration::from_secs(60);
/// The largest artifact that is taken from a child.
const ARTIFACT_BYTES: u64 = 512 << 20;
/// The most of a child's complaints that is read.
const COMPLAINT_BYTES: u64 = 64 << 10;

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

/// Compiles at most two components at once.
#[derive(Debug)]
pub(crate) struct Compilation {
    compiler: Compiler,
    turns: Arc<Semaphore>,
}

impl Compilation {
    pub(crate) fn new(compiler: Compiler) -> Self {
        Self { compiler, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The artifact of `wasm` for `engine`.
    pub(crate) async fn artifact(
        &self,
        engine: &Engine,
        blocking: &Handle,
        wasm: Bytes,
    ) -> Result<Vec<u8>, LoadError> {
        let turn = self.turns.clone().acquire_owned().await.expect("the semaphore is never closed");
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
                let artifact = timeout(WALL, compile_in_child(exe, &wasm)).await;
                drop(turn);
                artifact.unwrap_or_else(|_| Err(LoadError::Compile(format!("it took longer than {WALL:?}"))))
            }
        }
    }
}

async fn compile_in_child(exe: &Path, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    let host =
        |what: &str, error: std::io::Error| LoadError::Host(format!("{what} {}: {error}", exe.display()));
    let mut child = spawn(exe).map_err(|error| host("starting", error))?;
    let mut input = child.stdin.take().expect("stdin is a pipe");
    let feed = async move {
        // A child that ends early says why on its standard error.
        input.write_all(wasm).await.ok();
    };
    let output = read(child.stdout.take().expect("stdout is a pipe"), ARTIFACT_BYTES);
    let complaint = read(child.stderr.take().expect("stderr is a pipe"), COMPLAINT_BYTES);
    let ((), output, complaint) = tokio::join!(feed, output, complaint);
    let status = child.wait().await.map_err(|error| host("waiting for", error))?;
    let artifact = output.map_err(|error| host("reading from", error))?;
    if status.success() {
        return Ok(artifact);
    }
    let complaint = String::from_utf8_lossy(&complaint.unwrap_or_default()).trim().to_owned();
    Err(match status.code() {
        Some(child::REFUSED) => serde_json::from_str(&complaint)
            .unwrap_or_else(|_| LoadError::Compile(format!("the compiler refused it: {complaint}"))),
        Some(_) | None => LoadError::Compile(format!("the compiler ended with {status}; {complaint}")),
    })
}

fn spawn(exe: &Path) -> std::io::Result<Child> {
    Command::new(exe)
        .arg(COMPILE_SUBCOMMAND)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

async fn read(from: impl AsyncRead + Unpin, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut from = from.take(most);
    from.read_to_end(&mut bytes).await?;
    // What is over the limit is read too, or the child would wait for ever.
    tokio::io::copy(&mut from.into_inner(), &mut tokio::io::sink()).await?;
    Ok(bytes)
}
