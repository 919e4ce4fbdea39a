//! The last words of a guest that gave up: what its language's runtime writes to standard error when nothing catches an
//! error. Each language has a reader of its own; the newest words win, except that a runtime's own panic about an error of
//! the program's gives way to that error.

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

/// A language: how its last words begin, and what they say.
struct Language {
    start: fn(&str) -> Option<Start>,
    read: fn(&str) -> Option<Found>,
}

const LANGUAGES: [Language; 5] = [
    Language { start: rust::start, read: rust::read },
    Language { start: python::start, read: python::read },
    Language { start: javascript::start, read: javascript::read },
    Language { start: go::start, read: go::read },
    Language { start: native::start, read: native::read },
];

/// What the guest that wrote `stderr` gave up with; none where it did not say so in the way of a known language.
pub(crate) fn read(stderr: &str) -> Option<LastWords> {
    let found: Vec<_> = LANGUAGES.iter().filter_map(|language| (language.read)(stderr)).collect();
    let newest = found.into_iter().max_by_key(|found| (!found.wraps_another, found.at));
    newest.map(|found| found.words)
}

/// Whether last words begin at this line, or right before it: a long trace must not push them out of what is kept.
pub(crate) fn start(line: &str) -> Option<Start> {
    LANGUAGES.iter().find_map(|language| (language.start)(line))
}

/// What a program said last that then ended by itself: an error as Rust's `main` shows it, with its causes, else the last
/// line.
pub(crate) fn closing(stderr: &str) -> Option<String> {
    let stderr = stderr.trim_end();
    let error = rust::error_of_main(stderr).or_else(|| stderr.lines().last())?.trim();
    (!error.is_empty()).then(|| error.to_owned())
}
