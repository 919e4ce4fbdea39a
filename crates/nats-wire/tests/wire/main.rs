//! The client on a real nats-server, in the open and encrypted.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene fails")]

mod server;
mod tls;

use wasmhost_testing::{Options, Server};

/// A server without streams, with these lines in its configuration.
fn start_server(extra_config: &str) -> Server {
    wasmhost_testing::start_server(&Options::default().extra_config(extra_config).without_jetstream())
}
