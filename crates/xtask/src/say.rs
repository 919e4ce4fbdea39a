//! The one place that prints for people.

/// Prints a line.
#[expect(clippy::print_stdout, reason = "printing is what a tool of the command line is for")]
pub(crate) fn say(line: impl std::fmt::Display) {
    println!("{line}");
}
