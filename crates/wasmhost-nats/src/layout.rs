//! The streams, buckets and consumers that the protocol needs. They are made where they are missing, and compared
//! setting by setting where they exist. Nothing that exists is changed.

mod compare;
mod config;
mod consumer;
mod denied;
mod difference;
mod ensure;
mod error;
mod payload;
mod streams;
mod wanted;

pub use config::LayoutConfig;
pub use consumer::{QueueConsumer, ensure_consumer, inspect_consumer, restore_consumer};
pub use difference::Difference;
pub use ensure::{ensure_deployment, ensure_layout};
pub use error::{LayoutError, Problem};
pub use payload::MIN_PAYLOAD;
pub(crate) use wanted::MODULE_HISTORY;
