//! Conveniences for tasks of wasmhost that are written in Rust: arguments and results by serde, and progress in one call.
//!
//! The interfaces of `wit/` are all that a task needs; this crate adds nothing to what they can do. [`task!`] exports a function
//! as the task `run` of its component:
//!
//! ```
//! #[derive(serde::Deserialize)]
//! struct Args {
//!     name: String,
//! }
//!
//! fn greet(args: Args) -> Result<String, wasmhost_guest::TaskError> {
//!     Ok(format!("Hello, {}!", args.name))
//! }
//!
//! wasmhost_guest::task!(greet);
//! # fn main() {}
//! ```

#[doc(hidden)]
pub mod bindings;
mod failure;
mod progress;
mod task;

#[doc(inline)]
pub use bindings::wasmhost::task::{checkpoint, config, job, log, state, types};
pub use failure::{failed, permanent, retry};
pub use progress::progress;
pub use task::run_json;
pub use types::TaskError;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
