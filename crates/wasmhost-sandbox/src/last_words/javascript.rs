//! JavaScript: StarlingMonkey (componentize-js), QuickJS (whose errors stand within a panic of its runtime in Rust),
//! and engines that write `Uncaught`.

mod quickjs;
mod starling_monkey;

use super::found::{Found, Start};
use super::lines::{last_line, with_location};
pub(super) use quickjs::{error_in_panic, is_out_of_memory_panic};

/// The beginning of an error that other engines did not catch.
const UNCAUGHT: &str = "Uncaught ";

pub(super) fn start(line: &str) -> Option<Start> {
    match line {
        starling_monkey::STACK => Some(Start::PreviousLine),
        _ if line.starts_with(UNCAUGHT) => Some(Start::ThisLine),
        _ => None,
    }
}

pub(super) fn read(text: &str) -> Option<Found> {
    starling_monkey::read(text).or_else(|| read_uncaught(text))
}

/// Reads `Uncaught Error: text` or `Uncaught (in promise) Error: text`, and on the next line `    at f (file:1:2)`.
fn read_uncaught(text: &str) -> Option<Found> {
    let offset = last_line(text, |line| line.starts_with(UNCAUGHT))?;
    let mut lines = text[offset..].lines();
    let message = lines.next()?.strip_prefix(UNCAUGHT)?;
    let message = message.strip_prefix("(in promise) ").unwrap_or(message);
    let frame = lines.next().map(str::trim).and_then(|line| line.strip_prefix("at "));
    let mut found = Found::new(offset, with_location(message, frame));
    found.words.out_of_memory = starling_monkey::is_out_of_memory(message);
    Some(found)
}
