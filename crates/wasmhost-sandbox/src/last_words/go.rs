//! Go: panics and fatal errors of its runtime, with a trace. TinyGo writes the same without a trace.

use super::found::{Found, Start};
use super::lines::{last_line, lines, with_location};

const PANIC: &str = "panic: ";
const FATAL: &str = "fatal error: ";

pub(super) fn start(line: &str) -> Option<Start> {
    (line.starts_with(PANIC) || line.starts_with(FATAL)).then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    let offset = last_line(text, |line| start(line).is_some())?;
    let words = &text[offset..];
    // The message may have several lines. It ends at the empty line before the trace, or at the signal that caused it.
    let message: Vec<_> =
        words.lines().take_while(|line| !line.is_empty() && !line.starts_with("[signal ")).collect();
    let message = message.join("\n");
    let message = message.strip_prefix(PANIC).unwrap_or(&message);
    let mut found = Found::new(offset, with_location(message, location(words)));
    found.words.out_of_memory = message == "fatal error: out of memory";
    found.words.runtime_exits = true;
    Some(found)
}

/// The location of the first frame of the first goroutine that is not the runtime's: the program's own code.
fn location(words: &str) -> Option<&str> {
    let trace = lines(words).skip_while(|(_, line)| !line.starts_with("goroutine ")).skip(1);
    let trace: Vec<_> = trace.map(|(_, line)| line).take_while(|line| !line.is_empty()).collect();
    // A frame has two lines: the function, and its file with line and offset.
    let frame = trace
        .chunks_exact(2)
        .find(|frame| !frame[0].starts_with("runtime.") && !frame[0].starts_with("panic("))?;
    let location = frame[1].trim();
    Some(location.split_once(' ').map_or(location, |(location, _)| location))
}
