//! What the integration tests of several crates share: a private nats-server for each test, waits with one limit, and, with
//! the feature `deployment`, a connection to a server that has the streams and buckets of a deployment, with records to
//! write there.
//!
//! Everything here panics where it fails, because a test that cannot prepare its scene has failed. Crates name it as a
//! dev-dependency only.
//!
//! ```no_run
//! # async fn example() {
//! use wasmhost_testing::{Options, start_server, within};
//!
//! let server = start_server(&Options::default());
//! within("a connection", async { /* connect to server.url() */ }).await;
//! # }
//! ```

mod server;
mod wait;

// Without this feature nothing but a server is compiled, so that the tests of a small crate stay small.
#[cfg(feature = "deployment")]
mod bench;
#[cfg(feature = "deployment")]
pub mod records;

#[cfg(feature = "deployment")]
pub use bench::{Bench, user};
pub use nats_server_child::{JetStream, Options, Server};
pub use server::{finder, nats_server, start_server};
pub use wait::{PATIENCE, next_of, within};
