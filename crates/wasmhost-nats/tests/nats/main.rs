//! The crate on a real nats-server, one for each test.

mod blobs;
mod consumers;
mod events;
mod jobs;
mod layout;
mod records;
mod registry;
mod rights;
mod schedules;
