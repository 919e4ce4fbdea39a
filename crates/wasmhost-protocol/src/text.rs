//! Text for people: text from modules, messages and guests made safe to print and to store, the name that was
//! probably meant, and sizes with units.

mod escape;
mod nearest;
mod size;

pub use escape::{cut_middle, escape, escape_lines, is_unseen, truncate};
pub use nearest::{known_names, nearest};
pub use size::{format_size, format_size_rounded};
