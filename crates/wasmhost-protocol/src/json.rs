//! JSON text that is passed on as it is: arguments, meta, results, details. Numbers of any length, the order of keys and
//! the spelling of strings are nobody's business but the reader's; what readers disagree about is refused where it comes in.

mod canonical;
mod invalid;
mod shape;
mod text;

pub use canonical::canonical;
pub use invalid::InvalidJson;
pub use text::Json;
