//! A server for the tests.

use std::path::Path;

use nats_server_child::{Finder, JetStream, Options, Server};

/// A server with these lines in its configuration.
pub(crate) fn server(extra_config: &str) -> Server {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = Finder::of_workspace(&workspace).find().expect("cargo xtask tools installs one").path;
    let options =
        Options { extra_config: extra_config.to_owned(), jetstream: JetStream::Off, ..Options::default() };
    Server::start(&program, &options).expect("the server starts")
}
