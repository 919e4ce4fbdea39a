//! Rust: panics as they are written since 1.73 and before, an allocation that failed, and what `main` returned.

use super::found::{Found, Start};
use super::javascript;
use super::lines::{last_line, lines, with_location};

/// What componentize-py's runtime, which is in Rust, says after a Python traceback.
const PYTHON_WRAPPER: &str = "Python function threw an unexpected exception";

pub(super) fn start(line: &str) -> Option<Start> {
    (is_panic(line) || is_failed_allocation(line) || is_fatal(line)).then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    let panic = panic(text);
    let without = without_panic(text);
    match (panic, without) {
        // The message of the panic is a line of its own.
        (Some(panic), Some(line))
            if line.at > panic.at && !panic.words.message.contains(&line.words.message) =>
        {
            Some(line)
        }
        (Some(found), _) | (None, Some(found)) => Some(found),
        (None, None) => None,
    }
}

/// What ends a program without a panic.
fn without_panic(text: &str) -> Option<Found> {
    let at = last_line(text, |line| is_failed_allocation(line) || is_fatal(line))?;
    let line = text[at..].lines().next().unwrap_or_default();
    let mut found = Found::new(at, line);
    found.words.out_of_memory = is_failed_allocation(line);
    Some(found)
}

fn panic(text: &str) -> Option<Found> {
    let at = last_line(text, is_panic)?;
    let rest = &text[at..];
    let after = rest.split_once("panicked at ").map_or("", |(_, after)| after);
    let (message, place) = old_form(after).unwrap_or_else(|| new_form(after));
    let mut found =
        Found::new(at, javascript::within_panic(&message).unwrap_or_else(|| with_location(&message, place)));
    found.wraps_another = message == PYTHON_WRAPPER;
    found.words.out_of_memory = is_failed_allocation(&message)
        || javascript::is_no_memory(&message)
        || message.contains("TryReserveError { kind: AllocError");
    Some(found)
}

/// What stands on standard error after a `main` that returned an error: `Error: …`, with its causes where it has some.
pub(super) fn error_of_main(stderr: &str) -> Option<&str> {
    let at = last_line(stderr, |line| line.starts_with("Error: "))?;
    Some(&stderr[at..])
}

/// `thread 'main' panicked at …`, `thread 'main' (1) panicked at …`, or what a panic shows of itself.
fn is_panic(line: &str) -> bool {
    line.starts_with("panicked at ") || (line.starts_with("thread '") && line.contains("panicked at "))
}

fn is_failed_allocation(line: &str) -> bool {
    let bytes =
        line.strip_prefix("memory allocation of ").and_then(|rest| rest.strip_suffix(" bytes failed"));
    bytes.is_some_and(|bytes| bytes.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_fatal(line: &str) -> bool {
    line.starts_with("fatal runtime error: ")
}

/// `src/lib.rs:17:27:`, then the message, then notes.
fn new_form(after: &str) -> (String, Option<&str>) {
    let (place, rest) = after.split_once('\n').unwrap_or((after, ""));
    let message: Vec<_> = rest.lines().take_while(|line| !is_note(line)).collect();
    let place = place.trim_end().trim_end_matches(':');
    (message.join("\n").trim().to_owned(), (!place.is_empty()).then_some(place))
}

/// `'the message', src/lib.rs:17:27`, as before Rust 1.73.
fn old_form(after: &str) -> Option<(String, Option<&str>)> {
    let quoted = after.strip_prefix('\'')?;
    let end = lines(quoted).find(|(_, line)| is_note(line)).map_or(quoted.len(), |(at, _)| at);
    let (message, place) = quoted[..end].trim_end().rsplit_once("', ")?;
    Some((message.to_owned(), Some(place)))
}

fn is_note(line: &str) -> bool {
    line.starts_with("note: ") || line == "stack backtrace:"
}
