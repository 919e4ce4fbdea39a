//! The sandbox with a real engine and real guests, hostile ones included. No NATS.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod components;
mod control;
mod harness;
mod loading;
mod posts;
mod reasons;
mod verdicts;
