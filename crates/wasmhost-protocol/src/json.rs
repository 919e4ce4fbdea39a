//! JSON text that is passed on as it was written: arguments, meta, results, details. Numbers of any length,
//! the order of names and the spelling of strings stay as they are. A text that readers would understand
//! differently is refused where it comes in.

mod canonical;
mod invalid;
mod shape;
mod text;

pub use canonical::canonical;
pub use invalid::InvalidJson;
pub use text::Json;
