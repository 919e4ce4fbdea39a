//! Runs one attempt of a task in a fresh, limited WebAssembly instance.
//!
//! A [`Sandbox`] turns the bytes of a component into a [`LoadedModule`] and starts attempts at its tasks. A guest's
//! failure is a value of [`Outcome`](wasmhost_protocol::outcome::Outcome), never an error of the host. Nothing of a
//! guest survives its attempt.
//!
//! ```no_run
//! use wasmhost_protocol::digest::Digest;
//! use wasmhost_protocol::outcome::Outcome;
//! use wasmhost_sandbox::{AttemptRequest, Compiler, LoadError, Sandbox, SandboxConfig, SandboxError};
//!
//! fn sandbox(guests: tokio::runtime::Handle) -> Result<Sandbox, SandboxError> {
//!     let mut config = SandboxConfig::new(16, Compiler::Child { exe: "/usr/bin/wasmhost".into() });
//!     config.cache_dir = Some("/var/cache/wasmhost".into());
//!     Sandbox::new(config, guests)
//! }
//!
//! async fn run(
//!     sandbox: &Sandbox,
//!     digest: Digest,
//!     wasm: bytes::Bytes,
//!     request: AttemptRequest,
//! ) -> Result<Outcome, LoadError> {
//!     let module = sandbox.load(digest, wasm).await?;
//!     Ok(sandbox.start(&module, request).outcome.await)
//! }
//! ```

mod sandbox;

// The bytes of a component are checked and read,
mod component;
mod validate;

// the tasks in it are found and described,
mod description;
mod inspect;
mod tasks;

// it is compiled,
mod artifact;
mod compile;

// and the artifact is kept and loaded.
mod cache;
mod load;
mod load_error;

// A request becomes an attempt, which waits for room in the pool.
mod attempt;
mod pool;
mod request;

// Its arguments are decoded, and its task is called in a store of its own,
mod codec;
mod guest;

// where it imports what is provided, and is denied every power.
mod imports;
mod powers;

// While it runs, it is controlled, limited and measured,
mod control;
mod limits;
mod meter;
mod refusals;

// and what it posts and writes reaches the host.
mod output;
mod updates;

// If it fails, the cause is found.
mod error_text;
mod fault;
mod last_words;

// All guests share an engine and its clock.
mod clock;
mod engine;

pub use compile::{COMPILE_SUBCOMMAND, Compiler, compile_child_main};
pub use control::Control;
pub use inspect::inspect;
pub use load::LoadedModule;
pub use load_error::{LoadError, NotLoaded};
pub use request::{AttemptHandle, AttemptRequest, FunctionChoice, JobContext, OutcomeFuture};
pub use sandbox::{Sandbox, SandboxConfig, SandboxError};
pub use updates::{GuestLine, GuestUpdates, LogLines, PendingUpdates, StateUpdate};
