//! Pull requests: asking a queue's consumer for deliveries, and taking what comes until the request ends. Whose slots the
//! deliveries fill, and how many to ask for, is the host's to decide.
//!
//! A request is answered by messages and, when it ends short, by a status. One that is called back ends when the server has
//! heard so: what it sent before still comes. In a cluster that holds for the server that this client is connected to; what
//! the consumer's leader sends from another one in that moment is lost, and is delivered again after `ack_wait`.

mod batch;
mod request;

pub use batch::{PullBatch, PullEnd, PullError, Pulled};
pub use request::{PullInbox, PullRequest};
