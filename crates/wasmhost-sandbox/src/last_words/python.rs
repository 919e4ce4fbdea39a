//! Python: the exception of the last traceback, which is the one that nothing caught.

use super::found::{Found, Start};
use super::lines::{last_line, lines, with_location};

const TRACEBACK: &str = "Traceback (most recent call last):";
/// The beginning of the line that shows an exception for which the interpreter has no memory to format it.
const UNFORMATTED_TYPE: &str = "object type name: ";

pub(super) fn start(line: &str) -> Option<Start> {
    (line == TRACEBACK || line.starts_with("Fatal Python error: ")).then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    // A syntax error has a frame, but no line that announces a traceback.
    let offset = last_line(text, |line| start(line).is_some()).or_else(|| last_line(text, is_frame))?;
    let traceback = Traceback::read(&text[offset..]);
    let message = traceback.exception.join("\n");
    if message.is_empty() {
        return None;
    }
    let location = traceback.frame.and_then(location);
    let mut found = Found::new(offset, with_location(&message, location.as_deref()));
    found.words.out_of_memory = message == "MemoryError" || message.starts_with("MemoryError:");
    // A program that writes more after the traceback has caught the exception.
    found.words.runtime_exits = text[offset + traceback.end..].trim().is_empty();
    Some(found)
}

/// The parts of one traceback.
#[derive(Default)]
struct Traceback<'a> {
    /// The last frame: the one that raised the exception.
    frame: Option<&'a str>,
    /// The lines of the exception.
    exception: Vec<&'a str>,
    /// The offset at which the last line of the traceback ends.
    end: usize,
}

impl<'a> Traceback<'a> {
    fn read(text: &'a str) -> Self {
        let mut traceback = Self::default();
        for (offset, line) in lines(text).skip_while(|(_, line)| *line == TRACEBACK) {
            if line.is_empty() {
                break;
            }
            traceback.push(line);
            traceback.end = offset + line.len();
        }
        traceback
    }

    fn push(&mut self, line: &'a str) {
        if line.starts_with(' ') && self.exception.is_empty() {
            // Other lines that are indented show the source of a frame.
            if is_frame(line) {
                self.frame = Some(line);
            }
        } else if let Some(name) = line.strip_prefix(UNFORMATTED_TYPE) {
            self.exception = vec![name];
        } else if !line.starts_with("object ") && !line.starts_with("lost sys.stderr") {
            self.exception.push(line);
        }
    }
}

/// Whether a line is like `  File "/0/app.py", line 8, in plain`.
fn is_frame(line: &str) -> bool {
    line.trim_start().starts_with("File \"") && line.starts_with(' ')
}

/// `  File "/0/app.py", line 8, in plain` as `/0/app.py:8, in plain`.
fn location(frame: &str) -> Option<String> {
    let (file, rest) = frame.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    Some(match rest.split_once(", in ") {
        Some((line, function)) => format!("{file}:{line}, in {function}"),
        None => format!("{file}:{rest}"),
    })
}
