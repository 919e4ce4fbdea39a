//! The last words of a guest that gave up: what the runtime of its language writes to standard error when nothing
//! catches an error. Each language has a reader of its own. The newest words win, except that a runtime's own panic
//! about an error of the program gives way to that error.

mod found;
mod go;
mod javascript;
mod lines;
mod native;
mod python;
mod rust;
#[cfg(test)]
mod tests;

use found::Found;
pub(crate) use found::{LastWords, Start};

/// The reader of one language.
struct Language {
    /// Whether last words start at a line.
    start: fn(&str) -> Option<Start>,
    /// Reads the last words from all of standard error.
    read: fn(&str) -> Option<Found>,
}

const LANGUAGES: [Language; 5] = [
    Language { start: rust::start, read: rust::read },
    Language { start: python::start, read: python::read },
    Language { start: javascript::start, read: javascript::read },
    Language { start: go::start, read: go::read },
    Language { start: native::start, read: native::read },
];

/// Reads the last words in `stderr`; none where no known language gave up.
pub(crate) fn read(stderr: &str) -> Option<LastWords> {
    // A program may be made of several languages, and may have caught an earlier error of any of them.
    let found = LANGUAGES.iter().filter_map(|language| (language.read)(stderr));
    let newest = found.max_by_key(|found| (!found.wraps_another, found.offset));
    newest.map(|found| found.words)
}

/// Whether last words start at this line or at the one before it. From there on they are kept, or a long trace would
/// push their beginning out of what is kept of standard error.
pub(crate) fn start(line: &str) -> Option<Start> {
    LANGUAGES.iter().find_map(|language| (language.start)(line))
}

/// What a program wrote last before it ended by itself: an error as Rust's `main` shows it, with its causes, or else
/// the last line.
pub(crate) fn closing(stderr: &str) -> Option<String> {
    let stderr = stderr.trim_end();
    let error = rust::error_of_main(stderr).or_else(|| stderr.lines().last())?.trim();
    (!error.is_empty()).then(|| error.to_owned())
}
