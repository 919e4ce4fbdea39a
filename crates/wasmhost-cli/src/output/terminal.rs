//! Writing to standard output and standard error. What a module, a message or a guest said has been made safe to print
//! before it gets here, except for JSON, which [`json`] makes safe.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;
use wasmhost_protocol::text::{escape_lines, is_unseen};

use crate::error::{CliError, Exit};

/// Prints one line of a result.
pub(crate) fn line(text: impl Display) -> Result<(), CliError> {
    write(format_args!("{text}\n"))
}

/// Prints a result of several lines, which ends with a line end.
pub(crate) fn text(text: impl Display) -> Result<(), CliError> {
    write(format_args!("{text}"))
}

/// Prints a result as one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(|error| CliError::new(Exit::Config, error))?;
    line(safe_json(&text))
}

/// Prints a line for people on standard error.
pub(crate) fn note(text: impl Display) {
    // Nobody reads a standard error that is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints the message of an error, and returns its exit code.
pub(crate) fn report(error: &CliError) -> Exit {
    if !error.text.is_empty() {
        // The message may quote a server or a guest.
        note(format_args!("error: {}", escape_lines(&error.text)));
    }
    error.exit
}

/// JSON that means the same and prints on one line anywhere.
pub(crate) fn safe_json(text: &str) -> String {
    if !text.chars().any(is_unseen) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            // JSON allows these only outside of strings, where a space means the same.
            '\n' | '\r' | '\t' => safe.push(' '),
            c if is_unseen(c) => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}")));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Whether standard error is a terminal that may show more than plain lines.
pub(crate) fn stderr_is_live() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !no_color
}

fn write(text: std::fmt::Arguments<'_>) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    // Flushed at each line, since a program may read a pipe while the command still waits.
    match stdout.write_fmt(text).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        // A reader such as `head` has what it wants.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(CliError::silent(Exit::Ok)),
        Err(error) => Err(CliError::new(Exit::Config, format_args!("writing to standard output: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::safe_json;

    #[test]
    fn json_stays_json_and_becomes_safe() {
        assert_eq!(safe_json("{\n\t\"a\": 1}"), "{  \"a\": 1}");
        assert_eq!(safe_json("\"\u{202e}\u{9b}ä\""), "\"\\u202e\\u009bä\"");
        assert_eq!(safe_json(r#""a\nb""#), r#""a\nb""#);
        let tag = "\"\u{e0041}\"";
        assert_eq!(safe_json(tag), r#""\udb40\udc41""#);
        assert_eq!(serde_json::from_str::<String>(&safe_json(tag)).unwrap(), "\u{e0041}");
    }
}
