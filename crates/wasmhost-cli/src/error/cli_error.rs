//! What went wrong, as one message that names the thing, the place and the fix, with the exit code that belongs to it.

use std::fmt::Display;

use wasmhost_protocol::text::escape;

use super::exit_code::Exit;
use crate::output;

/// An error for the person at the terminal.
#[derive(Debug)]
pub(crate) struct CliError {
    /// How the program ends.
    pub(crate) exit: Exit,
    /// The message; empty: nothing is said.
    pub(crate) text: String,
}

impl CliError {
    /// With a message.
    pub(crate) fn new(exit: Exit, text: impl Display) -> Self {
        Self { exit, text: text.to_string() }
    }

    /// Without one.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, text: String::new() }
    }

    /// A wrong flag or argument.
    pub(crate) fn usage(text: impl Display) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// With the error and all its causes as the message.
    pub(crate) fn of(exit: Exit, error: &(dyn std::error::Error + 'static)) -> Self {
        Self { exit, text: chain(error) }
    }

    /// Says it.
    pub(crate) fn print(&self) {
        if !self.text.is_empty() {
            // What a server or a guest said may be in it.
            let lines: Vec<_> = self.text.lines().map(escape).collect();
            output::note(format_args!("error: {}", lines.join("\n")));
        }
    }
}

/// An error and its causes, `: ` between them; one that its parent quotes already is left out.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
