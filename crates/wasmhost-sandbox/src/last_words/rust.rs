//! Rust: panics as they are written since 1.73 and before, failed allocations, fatal errors of the runtime, and the
//! error that `main` returned.

use super::found::{Found, Start};
use super::javascript;
use super::lines::{last_line, lines, with_location};

/// The message of the panic by which componentize-py's runtime, which is in Rust, follows a Python traceback.
const PYTHON_WRAPPER: &str = "Python function threw an unexpected exception";

pub(super) fn start(line: &str) -> Option<Start> {
    (is_panic(line) || is_failed_allocation(line) || is_fatal(line)).then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    match (read_panic(text), read_abort(text)) {
        // The message of a panic can itself be a line like that of an abort; then the panic is what was found.
        (Some(panic), Some(abort))
            if abort.offset > panic.offset && !panic.words.message.contains(&abort.words.message) =>
        {
            Some(abort)
        }
        (Some(found), _) | (None, Some(found)) => Some(found),
        (None, None) => None,
    }
}

/// Reads what ends a program without a panic.
fn read_abort(text: &str) -> Option<Found> {
    let offset = last_line(text, |line| is_failed_allocation(line) || is_fatal(line))?;
    let line = text[offset..].lines().next().unwrap_or_default();
    let mut found = Found::new(offset, line);
    found.words.out_of_memory = is_failed_allocation(line);
    Some(found)
}

fn read_panic(text: &str) -> Option<Found> {
    let offset = last_line(text, is_panic)?;
    let after = text[offset..].split_once("panicked at ").map_or("", |(_, after)| after);
    let (message, location) = before_rust_1_73(after).unwrap_or_else(|| since_rust_1_73(after));
    let words = javascript::error_in_panic(&message).unwrap_or_else(|| with_location(&message, location));
    let mut found = Found::new(offset, words);
    found.wraps_another = message == PYTHON_WRAPPER;
    found.words.out_of_memory = is_failed_allocation(&message)
        || javascript::is_out_of_memory_panic(&message)
        || message.contains("TryReserveError { kind: AllocError");
    Some(found)
}

/// The error that `main` returned, as its runtime writes it: `Error: …`, with its causes where it has some.
pub(super) fn error_of_main(stderr: &str) -> Option<&str> {
    let offset = last_line(stderr, |line| line.starts_with("Error: "))?;
    Some(&stderr[offset..])
}

/// Whether a line is like `thread 'main' panicked at …`, `thread 'main' (1) panicked at …`, or `panicked at …`, as a
/// panic shows itself where there is no standard library.
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

/// Reads `src/lib.rs:17:27:`, then the lines of the message, then notes.
fn since_rust_1_73(after: &str) -> (String, Option<&str>) {
    let (location, rest) = after.split_once('\n').unwrap_or((after, ""));
    let message: Vec<_> = rest.lines().take_while(|line| !is_note(line)).collect();
    let location = location.trim_end().trim_end_matches(':');
    (message.join("\n").trim().to_owned(), (!location.is_empty()).then_some(location))
}

/// Reads `'the message', src/lib.rs:17:27`.
fn before_rust_1_73(after: &str) -> Option<(String, Option<&str>)> {
    let quoted = after.strip_prefix('\'')?;
    let end = lines(quoted).find(|(_, line)| is_note(line)).map_or(quoted.len(), |(offset, _)| offset);
    let (message, location) = quoted[..end].trim_end().rsplit_once("', ")?;
    Some((message.to_owned(), Some(location)))
}

fn is_note(line: &str) -> bool {
    line.starts_with("note: ") || line == "stack backtrace:"
}
