//! Tests of the sandbox with a real engine and real guests, hostile ones included, and without NATS. The guests are
//! built by `cargo xtask guests`.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod components;
mod control;
mod harness;
mod loading;
mod posts;
mod reasons;
mod verdicts;
