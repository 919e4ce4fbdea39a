//! Writing: results to standard output, everything else to standard error. What a module, a message or a guest said is
//! made safe before it gets here, or by [`json`] here.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;
use wasmhost_protocol::text::is_unseen;

use crate::error::CliError;
use crate::error::Exit;

/// One line of a result.
pub(crate) fn line(text: impl Display) -> Result<(), CliError> {
    write(format_args!("{text}\n"))
}

/// A result of several lines.
pub(crate) fn text(text: impl Display) -> Result<(), CliError> {
    write(format_args!("{text}"))
}

/// A result as one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(|error| CliError::new(Exit::Config, error))?;
    line(safe_json(&text))
}

/// One line for people.
pub(crate) fn note(text: impl Display) {
    // Nobody reads a closed standard error.
    let _ = writeln!(io::stderr(), "{text}");
}

/// JSON that says the same and prints on one line anywhere.
pub(crate) fn safe_json(text: &str) -> String {
    if !text.chars().any(is_unseen) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            // Outside of strings, the only place that JSON allows them in.
            '\n' | '\r' | '\t' => safe.push(' '),
            c if is_unseen(c) => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}")));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Whether standard error may have more than plain lines.
pub(crate) fn stderr_is_live() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !no_color
}

fn write(text: std::fmt::Arguments<'_>) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_fmt(text).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
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
