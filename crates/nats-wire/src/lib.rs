//! A small NATS client for what strangers send. nats-server stores and delivers whatever bytes stand in a subject or in
//! the headers of a message; a client that is strict about them while it reads from the connection loses the connection,
//! and everybody else's messages with it. This one frames messages by their lengths alone: what their bytes mean is read
//! afterwards, message by message, and what cannot be read is an error of that message.
//!
//! It has subscriptions, requests with one answer or many, and publishes that are never kept for later: without a
//! connection they fail at once. It makes the connection anew, with its subscriptions, until its last handle is dropped.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use nats_wire::{Config, Wire};
//!
//! let wire = Wire::connect(Config::new(["nats://127.0.0.1:4222"])?).await?;
//! let mut messages = wire.subscribe("greetings.>", None, 64).await;
//! while let Some(message) = messages.next().await {
//!     match message.headers() {
//!         Ok(headers) => println!("{}: {:?}", message.subject, headers.get("Lang")),
//!         Err(why) => println!("{}: {why}", message.subject),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod config;
mod headers;
mod message;

mod frame;

mod address;
mod credentials;
mod handshake;
mod tls;

mod link;
mod pending;
mod subscription;
mod wire;

pub use address::{Address, InvalidAddress};
pub use config::{Auth, Config, Notice, Observer, Tls};
pub use handshake::{ConnectError, ServerInfo};
pub use headers::{BadHeaders, Headers};
pub use link::State;
pub use message::Message;
pub use pending::Answers;
pub use subscription::Subscription;
pub use wire::{RequestError, SendError, Wire};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
