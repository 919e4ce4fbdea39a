//! C and C++, AssemblyScript and .NET, whose runtimes write an error on one line or two.

use super::found::{Found, Start};
use super::lines::{last_line, with_location};

/// How one runtime writes an error.
struct Form {
    /// The beginning of the line.
    prefix: &'static str,
    /// Reads the message from what follows the prefix; none: the whole line is the message.
    read: Option<fn(&str) -> Option<String>>,
}

/// The beginning of an error of AssemblyScript, which exits after it.
const ASSEMBLY_SCRIPT: &str = "abort: ";
/// The beginning of an error of .NET, which exits after it.
const DOTNET: &str = "Unhandled exception. ";

const FORMS: [Form; 8] = [
    // libstdc++
    Form { prefix: "terminate called after throwing an instance of '", read: Some(read_libstdcxx) },
    Form { prefix: "terminate called ", read: None },
    // libc++abi, as of recent versions and of older ones
    Form { prefix: "libc++abi: terminating due to uncaught exception of type ", read: Some(read_line) },
    Form { prefix: "libc++abi: terminating with uncaught exception of type ", read: Some(read_line) },
    Form { prefix: "libc++abi: ", read: None },
    // `assert` of C, in the words of musl and wasi-libc
    Form { prefix: "Assertion failed: ", read: None },
    Form { prefix: ASSEMBLY_SCRIPT, read: Some(read_assembly_script) },
    Form { prefix: DOTNET, read: Some(read_dotnet) },
];

/// What libc++ writes between the type and the message of an exception that it was built without:
/// `out_of_range was thrown in -fno-exceptions mode with message "vector"`.
const NO_EXCEPTIONS: &str = " was thrown in -fno-exceptions mode";

pub(super) fn start(line: &str) -> Option<Start> {
    let is_known = FORMS.iter().any(|form| line.starts_with(form.prefix)) || line.contains(NO_EXCEPTIONS);
    is_known.then_some(Start::ThisLine)
}

pub(super) fn read(text: &str) -> Option<Found> {
    let offset = last_line(text, |line| start(line).is_some())?;
    let words = &text[offset..];
    let line = words.lines().next()?;
    // A prefix comes before the shorter ones that it begins with, so that the first match is the most exact one.
    let message = match FORMS.iter().find(|form| line.starts_with(form.prefix)) {
        _ if line.contains(NO_EXCEPTIONS) => read_no_exceptions(line)?,
        Some(Form { prefix, read: Some(read) }) => read(words.strip_prefix(prefix)?)?,
        Some(Form { read: None, .. }) | None => line.to_owned(),
    };
    let mut found = Found::new(offset, message);
    found.words.runtime_exits = line.starts_with(ASSEMBLY_SCRIPT) || line.starts_with(DOTNET);
    found.words.out_of_memory = is_bad_alloc(&found.words.message);
    Some(found)
}

fn is_bad_alloc(message: &str) -> bool {
    ["bad_alloc", "std::bad_alloc"]
        .iter()
        .any(|name| message.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

fn read_line(words: &str) -> Option<String> {
    words.lines().next().map(str::to_owned)
}

/// Reads `std::runtime_error'`, and on the next line `  what():  text`.
fn read_libstdcxx(words: &str) -> Option<String> {
    let mut lines = words.lines();
    let name = lines.next()?.trim_end_matches('\'');
    let what = lines.next().and_then(|line| line.trim_start().strip_prefix("what():"));
    Some(what.map_or_else(|| name.to_owned(), |what| format!("{name}: {}", what.trim_start())))
}

/// Reads `text in assembly/index.ts(3:5)`.
fn read_assembly_script(words: &str) -> Option<String> {
    let line = words.lines().next()?;
    let located = line.rsplit_once(" in ").map(|(message, location)| with_location(message, Some(location)));
    Some(located.unwrap_or_else(|| line.to_owned()))
}

/// Reads `System.InvalidOperationException: text`, then `   at Billing.Bill(Int32 n) in /app/Program.cs:line 3`.
fn read_dotnet(words: &str) -> Option<String> {
    let mut lines = words.lines();
    let message = lines.next()?;
    let frame = lines.find_map(|line| line.strip_prefix("   at "));
    Some(with_location(message, frame))
}

fn read_no_exceptions(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(NO_EXCEPTIONS)?;
    let name = name.trim_start_matches("libc++abi: ");
    let message = rest.strip_prefix(" with message \"").map(|message| message.trim_end_matches('"'));
    Some(message.map_or_else(|| name.to_owned(), |message| format!("{name}: {message}")))
}
