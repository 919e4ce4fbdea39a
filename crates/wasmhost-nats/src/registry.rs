//! The module registry: which version of a module is current and which ones came before, by name; and the bytes of
//! components, by digest.

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
pub use version::{RunnableVersion, Version};
pub use view::RegistryView;
