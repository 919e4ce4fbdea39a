//! The lines that programs and people may wait for, because the documentation promises them. No test depends on the
//! wording of any other line of a log.

/// A host logs it, with its id behind it, when it takes jobs.
pub const SERVING: &str = "serving host.id=";

/// A host logs it when it starts and finds no server.
pub const WAITING_FOR_NATS: &str = "waiting for NATS";

/// `wasmhost dev` prints it when jobs can be submitted.
pub const DEV_READY: &str = "ready";

/// `wasmhost dev` prints it, with the server's address behind it, for other terminals.
pub const EXPORT_NATS_URL: &str = "export NATS_URL=";

/// `wasmhost audit record` prints it when it sees everything from then on.
pub const RECORDING: &str = "recording";

/// Rust's standard library prints it when a thread panics.
pub(crate) const PANICKED: &str = "panicked at";
