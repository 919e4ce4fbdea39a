//! Text from modules, messages and guests, made safe to print and to keep; near names; sizes in words.

mod escape;
mod nearest;
mod size;

pub use escape::{cut_middle, escape, escape_lines, is_unseen, truncate};
pub use nearest::{known_names, nearest};
pub use size::{format_size, format_size_rounded};
