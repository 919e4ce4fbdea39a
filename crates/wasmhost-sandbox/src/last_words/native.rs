//! C and C++, and others whose runtime says it on one line or two.

use super::found::{Found, Start};
use super::lines::{last_line, with_location};

/// How one runtime begins what it says, and how the rest is read; none: the line is the message.
struct Form {
    begins: &'static str,
    read: Option<fn(&str) -> Option<String>>,
}

const FORMS: [Form; 8] = [
    // libstdc++
    Form { begins: "terminate called after throwing an instance of '", read: Some(libstdcpp) },
    Form { begins: "terminate called ", read: None },
    // libc++abi, of the last years and of the years before
    Form { begins: "libc++abi: terminating due to uncaught exception of type ", read: Some(first_line) },
    Form { begins: "libc++abi: terminating with uncaught exception of type ", read: Some(first_line) },
    Form { begins: "libc++abi: ", read: None },
    // C's assert, in the words of musl and wasi-libc
    Form { begins: "Assertion failed: ", read: None },
    // AssemblyScript
    Form { begins: ABORT, read: Some(assembly_script) },
    // .NET
    Form { begins: UNHANDLED, read: Some(dotnet) },
];

/// How AssemblyScript and .NET begin, both of which exit.
const ABORT: &str = "abort: ";
const UNHANDLED: &str = "Unhandled exception. ";

/// libc++ without exceptions: `out_of_range was thrown in -fno-exceptions mode with message "vector"`.
const THROWN_WITHOUT_EXCEPTIONS: &str = " was thrown in -fno-exceptions mode";

pub(super) fn start(line: &str) -> Option<Start> {
    let known =
        FORMS.iter().any(|form| line.starts_with(form.begins)) || line.contains(THROWN_WITHOUT_EXCEPTIONS);
    known.then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    let at = last_line(text, |line| start(line).is_some())?;
    let rest = &text[at..];
    let line = rest.lines().next()?;
    let message = match FORMS.iter().find(|form| line.starts_with(form.begins)) {
        _ if line.contains(THROWN_WITHOUT_EXCEPTIONS) => thrown_without_exceptions(line)?,
        Some(Form { begins, read: Some(read) }) => read(rest.strip_prefix(begins)?)?,
        Some(Form { read: None, .. }) | None => line.to_owned(),
    };
    let mut found = Found::new(at, message);
    found.words.runtime_exits = line.starts_with(ABORT) || line.starts_with(UNHANDLED);
    found.words.out_of_memory = ["bad_alloc", "std::bad_alloc"].iter().any(|name| {
        found.words.message.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    Some(found)
}

fn first_line(text: &str) -> Option<String> {
    text.lines().next().map(str::to_owned)
}

/// `std::runtime_error'`, and on the next line `  what():  text`.
fn libstdcpp(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let name = lines.next()?.trim_end_matches('\'');
    let what = lines.next().and_then(|line| line.trim_start().strip_prefix("what():"));
    Some(what.map_or_else(|| name.to_owned(), |what| format!("{name}: {}", what.trim_start())))
}

/// `text in assembly/index.ts(3:5)`
fn assembly_script(text: &str) -> Option<String> {
    let line = text.lines().next()?;
    let placed_text = line.rsplit_once(" in ").map(|(message, place)| with_location(message, Some(place)));
    Some(placed_text.unwrap_or_else(|| line.to_owned()))
}

/// `System.InvalidOperationException: text`, then `   at Billing.Bill(Int32 n) in /app/Program.cs:line 3`.
fn dotnet(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let message = lines.next()?;
    let frame = lines.find_map(|line| line.strip_prefix("   at "));
    Some(with_location(message, frame))
}

fn thrown_without_exceptions(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(THROWN_WITHOUT_EXCEPTIONS)?;
    let name = name.trim_start_matches("libc++abi: ");
    let message = rest.strip_prefix(" with message \"").map(|message| message.trim_end_matches('"'));
    Some(message.map_or_else(|| name.to_owned(), |message| format!("{name}: {message}")))
}
