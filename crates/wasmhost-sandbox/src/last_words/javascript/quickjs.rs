//! QuickJS: its runtime is written in Rust and panics with the error of the program in the message of the panic.

use super::super::lines::with_location;

/// The beginning of such a panic's message.
const FAILED_CALL: &str = "Failed to call '";

/// The error in the message of a panic: `Failed to call 'f': Exception(Exception { message: Some("…"), stack: Some("…")
/// })`, or `Failed to call 'f': Value(String(Ok("…")))`.
pub(crate) fn error_in_panic(message: &str) -> Option<String> {
    let call = message.strip_prefix(FAILED_CALL)?;
    let (_, exception) = call.split_once("': ")?;
    if let Some(value) = exception.strip_prefix("Value(String(Ok(") {
        return string_literal(value);
    }
    let text = exception.strip_prefix("Exception(Exception { message: Some(").and_then(string_literal)?;
    let stack = exception.split_once("stack: Some(").and_then(|(_, stack)| string_literal(stack));
    let location = stack.as_deref().and_then(location);
    Some(with_location(&text, location.as_deref()))
}

/// Whether the error in the message of a panic is that there was no memory.
pub(crate) fn is_out_of_memory_panic(message: &str) -> bool {
    message.starts_with(FAILED_CALL)
        && message.contains("': Exception(Exception { message: Some(\"out of memory\")")
}

/// The first frame of a stack: `at bill (/app.js:2:47)` as `/app.js:2:47, in bill`.
fn location(stack: &str) -> Option<String> {
    let frame = stack.lines().next()?.trim().strip_prefix("at ")?;
    Some(match frame.trim_end_matches(')').split_once(" (") {
        Some((function, location)) => format!("{location}, in {function}"),
        None => frame.to_owned(),
    })
}

/// The text of the string literal that `text` begins with, as Rust writes it.
fn string_literal(text: &str) -> Option<String> {
    let mut literal = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some(literal),
            '\\' => match chars.next()? {
                'n' => literal.push('\n'),
                't' => literal.push('\t'),
                'r' => literal.push('\r'),
                '0' => literal.push('\0'),
                'u' => {
                    let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    literal.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?);
                }
                other => literal.push(other),
            },
            other => literal.push(other),
        }
    }
}
