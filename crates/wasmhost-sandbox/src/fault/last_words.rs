//! The last words of a guest that gave up: what its language's runtime writes to standard error when nothing catches an
//! error. Each language has a reader of its own; the newest words win, except that a runtime's own panic about an error of
//! the program's gives way to that error.

mod go;
mod javascript;
mod native;
mod python;
mod rust;
#[cfg(test)]
mod tests;

/// What a guest said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// The guest's own words: the error's type where the language names it, its message, and its place.
    pub(crate) message: String,
    /// Whether they say that there was no memory.
    pub(crate) no_memory: bool,
    /// Whether the language's runtime exits after them; others abort.
    pub(crate) exits: bool,
}

/// What a reader found.
struct Found {
    /// Where it begins.
    at: usize,
    words: LastWords,
    /// It only says that an error was not caught, and the error itself stands before it.
    wraps: bool,
}

impl Found {
    fn new(at: usize, message: impl Into<String>) -> Self {
        let words = LastWords { message: message.into(), no_memory: false, exits: false };
        Self { at, words, wraps: false }
    }
}

/// A language: how its last words begin, and what they say.
struct Language {
    begins: fn(&str) -> Option<Begin>,
    read: fn(&str) -> Option<Found>,
}

/// Where last words begin that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With that line.
    Here,
    /// With the line before it.
    Before,
}

const LANGUAGES: [Language; 5] = [
    Language { begins: rust::begins, read: rust::read },
    Language { begins: python::begins, read: python::read },
    Language { begins: javascript::begins, read: javascript::read },
    Language { begins: go::begins, read: go::read },
    Language { begins: native::begins, read: native::read },
];

/// What the guest that wrote `stderr` gave up with; none where it did not say so in the way of a known language.
pub(crate) fn of(stderr: &str) -> Option<LastWords> {
    let found: Vec<_> = LANGUAGES.iter().filter_map(|language| (language.read)(stderr)).collect();
    let newest = found.into_iter().max_by_key(|found| (!found.wraps, found.at));
    newest.map(|found| found.words)
}

/// Whether last words begin at this line, or right before it: a long trace must not push them out of what is kept.
pub(crate) fn begins(line: &str) -> Option<Begin> {
    LANGUAGES.iter().find_map(|language| (language.begins)(line))
}

/// What a program said last that then ended by itself: an error as Rust's `main` shows it, with its causes, else the last
/// line.
pub(crate) fn closing(stderr: &str) -> Option<String> {
    let stderr = stderr.trim_end();
    let error = rust::error_of_main(stderr).or_else(|| stderr.lines().last())?.trim();
    (!error.is_empty()).then(|| error.to_owned())
}

/// Where the last line begins that `is_it`.
fn last_line(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    lines(text).filter(|(_, line)| is_it(line)).last().map(|(at, _)| at)
}

/// The lines, each with where it begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// A message with its place, where it is known.
fn placed(message: &str, place: Option<&str>) -> String {
    match place {
        Some(place) => format!("{message} ({place})"),
        None => message.to_owned(),
    }
}
