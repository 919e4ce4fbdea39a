//! What a command does on this machine: files that it reads, components that it compiles, runtimes that it runs on.

pub(crate) mod component;
pub(crate) mod input;
pub(crate) mod nats_server;
pub(crate) mod runtime;
pub(crate) mod sandbox;
