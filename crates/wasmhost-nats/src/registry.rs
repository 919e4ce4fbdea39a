//! The module registry: by name, which version is current and which were; by digest, the component's bytes.

mod change;
mod component;
mod error;
mod history;
mod version;
mod view;

pub use change::{push, remove, rollback};
pub use component::fetch;
pub use error::RegistryError;
pub use history::{current, history, list};
pub use version::Version;
pub use view::RegistryView;
