//! A small NATS client that no bytes of a message can break, such as those of subjects to which anybody can publish.
//!
//! nats-server stores and delivers whatever bytes a publisher puts into a subject or into the headers of a message. A client
//! that parses them strictly while it reads from the connection loses the connection over one such message, and with it
//! the messages of everybody else. This client frames messages by their lengths alone. Headers are parsed message by message
//! when they are asked for, and headers that cannot be parsed are an error of that message only.
//!
//! It has subscriptions, requests with one answer or many, and publishes. A publish is never kept for later: without a
//! connection it fails at once. When the connection breaks, the client reconnects and subscribes again, until the last
//! handle is dropped. It has no JetStream: its API is requests and headers, which callers write themselves.
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

mod auth;
mod config;
mod header_block;
mod headers;
mod message;

mod server_info;
mod state;

mod frame;

mod address;
mod credentials;
mod handshake;
mod tls;

mod answer;
mod command;
mod link;
mod pending;
mod subscription;
mod wire;

pub use address::{Address, InvalidAddress};
pub use answer::{Answer, Expected};
pub use auth::Auth;
pub use config::{Config, Notice, Observer, Tls};
pub use handshake::ConnectError;
pub use header_block::HeaderBlock;
pub use headers::{BadHeaders, Headers};
pub use message::Message;
pub use pending::Answers;
pub use server_info::ServerInfo;
pub use state::State;
pub use subscription::Subscription;
pub use wire::{RequestError, SendError, Wire};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
