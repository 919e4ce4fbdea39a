//! Finds a nats-server and runs it as a private child process: on 127.0.0.1 only, with JetStream, and no longer than the value
//! that owns it lives. It is meant for tests, demos and tools for development.
//!
//! This crate is not a client of NATS. It learns where the server listens from the server's ports file.
//!
//! ```no_run
//! use nats_server_child::{Finder, Options, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let found = Finder { tools_dir: Some(".tools".into()), ..Finder::default() }.find()?;
//! let mut server = Server::start(&found.path, &Options::default())?;
//! println!("{}", server.url());
//! server.stop()?;
//! # Ok(())
//! # }
//! ```

mod find;
mod options;
mod ports;
mod server;
mod version;
mod wait;

pub use find::{FindError, Finder, Found};
pub use options::{JetStream, Options};
pub use server::{Server, StartError};
pub use version::{MINIMUM_VERSION, Version};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
