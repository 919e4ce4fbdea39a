//! JavaScript: StarlingMonkey (componentize-js), QuickJS within a panic of its runtime in Rust, and engines that say
//! `Uncaught`.

use super::found::{Found, Start};
use super::lines::{last_line, lines, with_location};

/// What StarlingMonkey says after an error that nothing caught.
const ABORT: &str = "Redirecting call to abort()";
const STACK: &str = "Stack:";
const UNCAUGHT: &str = "Uncaught ";
/// How the runtime of the QuickJS backend begins.
const FAILED: &str = "Failed to call '";
const NO_MEMORY: [&str; 3] = ["out of memory", "InternalError: out of memory", "allocation size overflow"];

pub(super) fn start(line: &str) -> Option<Start> {
    match line {
        STACK => Some(Start::PreviousLine),
        _ if line.starts_with(UNCAUGHT) => Some(Start::ThisLine),
        _ => None,
    }
}

pub(super) fn read(text: &str) -> Option<Found> {
    starling_monkey(text).or_else(|| uncaught(text))
}

/// The error within a panic of the QuickJS backend: `Failed to call 'f': Exception(Exception { message: Some("…"), … })`.
pub(super) fn within_panic(message: &str) -> Option<String> {
    let said = message.strip_prefix(FAILED)?;
    let (_, exception) = said.split_once("': ")?;
    if let Some(value) = exception.strip_prefix("Value(String(Ok(") {
        return literal(value);
    }
    let text = exception.strip_prefix("Exception(Exception { message: Some(").and_then(literal)?;
    let stack = exception.split_once("stack: Some(").and_then(|(_, stack)| literal(stack));
    let frame = stack
        .as_deref()
        .and_then(|stack| stack.lines().next())
        .and_then(|line| line.trim().strip_prefix("at "));
    let place = frame.map(|frame| match frame.trim_end_matches(')').split_once(" (") {
        Some((function, place)) => format!("{place}, in {function}"),
        None => frame.to_owned(),
    });
    Some(with_location(&text, place.as_deref()))
}

/// Whether the error within a panic of the QuickJS backend is that there was no memory.
pub(super) fn is_no_memory(message: &str) -> bool {
    message.starts_with(FAILED)
        && message.contains("': Exception(Exception { message: Some(\"out of memory\")")
}

/// The message, `Stack:` and its frames, the causes in the same way, an empty line and the notice of the abort.
fn starling_monkey(text: &str) -> Option<Found> {
    let end = last_line(text, |line| line.starts_with(ABORT))?;
    let before: Vec<_> = lines(&text[..end]).collect();
    let trace = before.iter().rev().take_while(|(_, line)| is_trace(line)).count();
    let (at, message) = *before.get(before.len().checked_sub(trace + 1)?)?;
    let frame =
        before[before.len() - trace..].iter().map(|(_, line)| line.trim()).find(|line| line.contains('@'));
    let place = frame.and_then(|frame| frame.split_once('@')).map(|(function, place)| {
        if function.is_empty() { place.to_owned() } else { format!("{place}, in {function}") }
    });
    // What is no error is shown as JSON.
    let value = serde_json::from_str::<String>(message);
    let message = value.as_deref().unwrap_or(message);
    let mut found = Found::new(at, with_location(message, place.as_deref()));
    found.words.out_of_memory = NO_MEMORY.contains(&message);
    Some(found)
}

/// A line between the message and the notice; also the one that says that others were left out.
fn is_trace(line: &str) -> bool {
    line.is_empty()
        || line == STACK
        || line.starts_with("  ")
        || line.starts_with("Caused by: ")
        || (line.starts_with("… ") && line.ends_with(" left out …"))
}

/// `Uncaught Error: text`, or `Uncaught (in promise) Error: text`, then `    at f (file:1:2)`.
fn uncaught(text: &str) -> Option<Found> {
    let at = last_line(text, |line| line.starts_with(UNCAUGHT))?;
    let mut lines = text[at..].lines();
    let message = lines.next()?.strip_prefix(UNCAUGHT)?;
    let message = message.strip_prefix("(in promise) ").unwrap_or(message);
    let frame = lines.next().map(str::trim).and_then(|line| line.strip_prefix("at "));
    let mut found = Found::new(at, with_location(message, frame));
    found.words.out_of_memory = NO_MEMORY.contains(&message);
    Some(found)
}

/// The text of a string literal as Rust writes it, whatever follows.
fn literal(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                '0' => out.push('\0'),
                'u' => {
                    let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    out.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?);
                }
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
}
