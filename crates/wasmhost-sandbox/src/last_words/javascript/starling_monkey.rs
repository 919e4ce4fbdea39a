//! StarlingMonkey: the message, `Stack:` with its frames, each cause in the same way, and the notice of the abort.

use super::super::found::Found;
use super::super::lines::{last_line, lines, with_location};

/// The line between a message and its frames.
pub(super) const STACK: &str = "Stack:";
/// The notice that follows an error that nothing caught.
const ABORT: &str = "Redirecting call to abort()";
const OUT_OF_MEMORY: [&str; 3] =
    ["out of memory", "InternalError: out of memory", "allocation size overflow"];

pub(super) fn read(text: &str) -> Option<Found> {
    let notice = last_line(text, |line| line.starts_with(ABORT))?;
    let before: Vec<_> = lines(&text[..notice]).collect();
    let trace = before.iter().rev().take_while(|(_, line)| is_trace(line)).count();
    // Everything up to the notice looks like a trace but the line of the message itself.
    let (offset, message) = *before.get(before.len().checked_sub(trace + 1)?)?;
    let mut frames = before[before.len() - trace..].iter().map(|(_, line)| line.trim());
    let location = frames.find(|line| line.contains('@')).and_then(location);
    // A thrown value that is no error is written as JSON.
    let value = serde_json::from_str::<String>(message);
    let message = value.as_deref().unwrap_or(message);
    let mut found = Found::new(offset, with_location(message, location.as_deref()));
    found.words.out_of_memory = is_out_of_memory(message);
    Some(found)
}

pub(super) fn is_out_of_memory(message: &str) -> bool {
    OUT_OF_MEMORY.contains(&message)
}

/// `bill@app.js:2:26` as `app.js:2:26, in bill`.
fn location(frame: &str) -> Option<String> {
    let (function, location) = frame.split_once('@')?;
    Some(if function.is_empty() { location.to_owned() } else { format!("{location}, in {function}") })
}

/// Whether a line stands between the message and the notice. The line that counts what the tail of standard error
/// leaves out can be one of them.
fn is_trace(line: &str) -> bool {
    line.is_empty()
        || line == STACK
        || line.starts_with("  ")
        || line.starts_with("Caused by: ")
        || (line.starts_with("… ") && line.ends_with(" left out …"))
}
