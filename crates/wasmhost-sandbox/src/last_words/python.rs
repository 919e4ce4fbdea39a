//! Python: the exception of the last traceback, which is the one that nothing caught.

use super::found::{Found, Start};
use super::lines::{last_line, lines, with_location};

const TRACEBACK: &str = "Traceback (most recent call last):";
/// How the interpreter shows an error that it has no memory to format.
const TYPE_WITHOUT_MEMORY: &str = "object type name: ";

pub(super) fn start(line: &str) -> Option<Start> {
    (line == TRACEBACK || line.starts_with("Fatal Python error: ")).then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    // An error of syntax comes without the word.
    let at = last_line(text, |line| start(line).is_some()).or_else(|| last_line(text, is_frame))?;
    let mut place = None;
    let mut exception = Vec::new();
    let mut end = at;
    for (start, line) in lines(&text[at..]).skip_while(|(_, line)| *line == TRACEBACK) {
        if is_frame(line) && exception.is_empty() {
            place = Some(line);
        } else if line.starts_with(' ') && exception.is_empty() {
            // The source of a frame.
        } else if line.is_empty() {
            break;
        } else if let Some(name) = line.strip_prefix(TYPE_WITHOUT_MEMORY) {
            exception = vec![name];
        } else if !line.starts_with("object ") && !line.starts_with("lost sys.stderr") {
            exception.push(line);
        }
        end = at + start + line.len();
    }
    let message = exception.join("\n");
    if message.is_empty() {
        return None;
    }
    let mut found = Found::new(at, with_location(&message, place.and_then(place_of).as_deref()));
    found.words.out_of_memory = message == "MemoryError" || message.starts_with("MemoryError:");
    found.words.runtime_exits = text[end..].trim().is_empty();
    Some(found)
}

/// `  File "/0/app.py", line 8, in plain`
fn is_frame(line: &str) -> bool {
    line.trim_start().starts_with("File \"") && line.starts_with(' ')
}

fn place_of(frame: &str) -> Option<String> {
    let (file, rest) = frame.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    Some(match rest.split_once(", in ") {
        Some((line, function)) => format!("{file}:{line}, in {function}"),
        None => format!("{file}:{rest}"),
    })
}
