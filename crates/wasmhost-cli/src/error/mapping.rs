//! Which exit code and which advice belong to an error of the other crates.

mod advice;
mod client;
mod connect;
mod host;
mod server;
