//! Go, and TinyGo, which says the same without a trace: panics and fatal errors of the runtime.

use super::found::{Found, Start};
use super::lines::{last_line, lines, with_location};

const PANIC: &str = "panic: ";
const FATAL: &str = "fatal error: ";

pub(super) fn start(line: &str) -> Option<Start> {
    (line.starts_with(PANIC) || line.starts_with(FATAL)).then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    let at = last_line(text, |line| start(line).is_some())?;
    let rest = &text[at..];
    let message: Vec<_> =
        rest.lines().take_while(|line| !line.is_empty() && !line.starts_with("[signal ")).collect();
    let message = message.join("\n");
    let message = message.strip_prefix(PANIC).unwrap_or(&message);
    let mut found = Found::new(at, with_location(message, place(rest)));
    found.words.out_of_memory = message == "fatal error: out of memory";
    found.words.runtime_exits = true;
    Some(found)
}

/// Where the program's own code stood: the first frame of the first goroutine that is not the runtime's.
fn place(text: &str) -> Option<&str> {
    let trace = lines(text).skip_while(|(_, line)| !line.starts_with("goroutine ")).skip(1);
    let trace = trace.map(|(_, line)| line).take_while(|line| !line.is_empty()).collect::<Vec<_>>();
    let own = trace
        .chunks_exact(2)
        .find(|frame| !frame[0].starts_with("runtime.") && !frame[0].starts_with("panic("))?;
    let place = own[1].trim();
    Some(place.split_once(' ').map_or(place, |(place, _)| place))
}
