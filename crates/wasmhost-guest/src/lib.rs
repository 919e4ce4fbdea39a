//! Conveniences for authors of wasmhost tasks in Rust: arguments and results by serde, progress in one call. It adds
//! nothing to what `wit/` says, and a task needs none of it.
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

mod failure;
mod progress;
mod task;

/// What wit-bindgen makes of `wit/`.
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "wasmhost:task/task",
        pub_export_macro: true,
        default_bindings_module: "wasmhost_guest::bindings",
    });
}

pub use bindings::wasmhost::task::{checkpoint, config, job, log, state, types};
pub use failure::{failed, permanent, retry};
pub use progress::progress;
pub use task::run_json;
pub use types::TaskError;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
