//! The error of a command: a message for the person at the terminal, and the exit code that belongs to it.

use std::error::Error;
use std::fmt::Display;

use super::exit_code::Exit;

/// The error of a command. Its message names the thing, the place and what helps.
#[derive(Debug)]
pub(crate) struct CliError {
    /// The exit code of the program.
    pub(crate) exit: Exit,
    /// The message; nothing is printed where it is empty.
    pub(crate) text: String,
}

impl CliError {
    /// An error with this message.
    pub(crate) fn new(exit: Exit, text: impl Display) -> Self {
        Self { exit, text: text.to_string() }
    }

    /// An error without a message.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, text: String::new() }
    }

    /// The error of a wrong flag or argument.
    pub(crate) fn usage(text: impl Display) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// An error with several problems, each on a line of its own.
    pub(crate) fn all(exit: Exit, problems: &[String]) -> Self {
        Self::new(exit, problems.join("\nerror: "))
    }

    /// An error whose message is that of `error` and of all its causes.
    pub(crate) fn of(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        Self { exit, text: chain(error) }
    }
}

/// The messages of an error and its causes, with `: ` between them. A cause that its parent quotes already is left out.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some errors of other crates quote their cause, which would be printed twice.
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
