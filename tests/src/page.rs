//! A page of the documentation as its reader works through it: files to write, commands to type, and what they print.
//!
//! A block of code is one of these, so that nothing of a page is unchecked:
//!
//! - a file, where the line before it is nothing but the file's path in bold;
//! - commands, in a block `sh`, behind which words may stand that no reader sees: `Way` has them;
//! - what the commands above it print, in a block `text`. A `…` stands for any text, and a line of it alone for any lines.

mod parse;
mod reader;
mod shown;
mod step;

pub use parse::parse;
pub use reader::Reader;
pub use step::Step;
