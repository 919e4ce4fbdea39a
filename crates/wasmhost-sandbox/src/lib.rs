//! Runs one attempt of a task in a fresh, limited WebAssembly instance.
//!
//! A [`Sandbox`] turns a component's bytes into a [`LoadedModule`] (validate, compile, cache) and starts attempts at its
//! tasks. A guest's failure is a value of [`wasmhost_protocol::outcome::Outcome`]; nothing of a guest survives its attempt.
//!
//! ```no_run
//! use wasmhost_protocol::digest::Digest;
//! use wasmhost_protocol::outcome::Outcome;
//! use wasmhost_sandbox::{LoadError, Run, Sandbox};
//!
//! async fn once(sandbox: &Sandbox, digest: Digest, wasm: bytes::Bytes, run: Run) -> Result<Outcome, LoadError> {
//!     let module = match sandbox.cached(&digest).await {
//!         Some(module) => module,
//!         None => sandbox.load(digest, wasm).await?,
//!     };
//!     Ok(sandbox.start(&module, run).outcome.await)
//! }
//! ```

mod sandbox;

mod artifact;
mod cache;
mod compile;
mod description;
mod load;
mod load_error;
mod validate;

mod component;
mod inspect;
mod tasks;

mod codec;
mod request;

mod attempt;
mod guest;
mod imports;
mod pool;
mod powers;

mod control;
mod limits;
mod meter;
mod output;
mod refusals;
mod updates;

mod clock;
mod engine;
mod fault;
mod last_words;

pub use compile::{COMPILE_SUBCOMMAND, Compiler, compile_child_main};
pub use control::Control;
pub use inspect::inspect;
pub use load::LoadedModule;
pub use load_error::{LoadError, NotLoaded};
pub use request::{AttemptHandle, AttemptRequest, FunctionChoice, JobContext, OutcomeFuture};
pub use sandbox::{Sandbox, SandboxConfig, SandboxError};
pub use updates::{GuestUpdates, LogLevel, LogLine, LogLines, LogStream, PendingUpdates, StateUpdate};
