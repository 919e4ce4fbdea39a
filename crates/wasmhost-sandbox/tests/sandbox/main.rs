//! The sandbox with a real engine and the real guest examples, hostile ones included. No NATS.

mod control;
mod lab;
mod loading;
mod posts;
mod verdicts;
