//! Pull requests: asking a queue's consumer for deliveries, and taking what comes until the request ends. How many
//! deliveries to ask for, and which slots they fill, is the host's to decide.
//!
//! A request is answered by messages and, where fewer came than it asked for, by a status. One that is called back ends
//! when the server has received the unsubscription: what it sent before still comes. In a cluster that holds for the
//! server that this client is connected to. What the consumer's leader sends from another server at that moment does
//! not come, and is delivered again after `ack_wait`.

mod batch;
mod request;

pub use batch::{PullBatch, PullEnd, PullError, Pulled};
pub use request::{PullInbox, PullRequest};
