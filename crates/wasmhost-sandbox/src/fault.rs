//! Says what broke a guest: traps, exits, panics and limits look alike to the engine and must not in a record.

use std::fmt::Write as _;

use wasmhost_protocol::{Fault, Json, Limit, Limits, Verdict, escape, truncate};
use wasmtime::component::ResourceTableError;
use wasmtime::{FrameInfo, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::guest::{CpuUsedUp, Observed};
use crate::tasks::Task;

/// Frames of one function in a backtrace that make a recursion.
const RECURSION_FRAMES: usize = 12;

/// Limits that the engine has no error types for.
const LIMIT_TEXTS: [(&str, Limit); 3] = [
    ("too much data is being copied", Limit::Result),
    ("handle limit exceeded", Limit::Instances),
    ("resource limit exceeded", Limit::Instances),
];

/// A call that did not return.
pub(crate) struct Broken<'a> {
    pub(crate) task: &'a Task,
    pub(crate) limits: &'a Limits,
    pub(crate) observed: &'a Observed,
}

impl Broken<'_> {
    /// The verdict on a call that ended with `error`.
    pub(crate) fn verdict(&self, error: &wasmtime::Error) -> Verdict {
        let exit = error.downcast_ref::<I32Exit>().map(|exit| exit.0);
        if self.task.command && exit == Some(0) {
            return Verdict::Returned(Json::null());
        }
        if let Some(limit) = self.limit(error) {
            return Verdict::Exceeded(limit, self.fault(&self.limit_text(limit), Some(error)));
        }
        if let Some(status) = exit {
            let without = if status == 0 { " without a result" } else { "" };
            return Verdict::Exited(self.fault(&format!("exit({status}){without}"), None));
        }
        if let Some(refusal) = machine_error(error) {
            return Verdict::HostBug(format!("the machine refused the host what it needs: {refusal}"));
        }
        match panic_message(&self.observed.stderr.text()) {
            Some(message) if is_unreachable(error) => Verdict::Panicked(self.fault(&message, Some(error))),
            _ => Verdict::Trapped(self.fault(&trap_text(error), Some(error))),
        }
    }

    /// The verdict on a call that was ended because of `limit`.
    pub(crate) fn exceeded(&self, limit: Limit) -> Verdict {
        Verdict::Exceeded(limit, self.fault(&self.limit_text(limit), None))
    }

    fn limit(&self, error: &wasmtime::Error) -> Option<Limit> {
        if error.is::<CpuUsedUp>() {
            return Some(Limit::Cpu);
        }
        // A guest may bear a refusal, and panic for another reason later.
        let panicked = || {
            is_unreachable(error)
                && panic_message(&self.observed.stderr.text()).as_deref().is_some_and(is_no_allocation)
        };
        if self.observed.refusals.memory() && !panicked() {
            return Some(Limit::Memory);
        }
        if self.observed.refusals.tables() && !panicked() {
            return Some(Limit::Tables);
        }
        if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
            return Some(Limit::Instances);
        }
        let text = format!("{error:#}");
        LIMIT_TEXTS.iter().find(|(part, _)| text.contains(part)).map(|(_, limit)| *limit)
    }

    fn limit_text(&self, limit: Limit) -> String {
        let limits = self.limits;
        match limit {
            Limit::Memory => format!("out of memory: the limit is {} bytes", limits.memory_bytes),
            Limit::Cpu => format!("CPU time is used up: the limit is {:?}", limits.cpu),
            Limit::Wall => format!("timed out after {:?}", limits.timeout),
            Limit::Fuel => "fuel is used up".to_owned(),
            Limit::Tables => format!("too many table elements: the limit is {}", limits.table_elements),
            Limit::Instances => {
                format!("too many instances or handles: the limit is {} handles", limits.handles)
            }
            Limit::Result => "more than 64 MiB of values in one call".to_owned(),
        }
    }

    fn fault(&self, message: &str, error: Option<&wasmtime::Error>) -> Fault {
        let frames = error.and_then(|error| error.downcast_ref::<WasmBacktrace>());
        let stderr = self.observed.stderr.text();
        Fault {
            message: cut(message),
            backtrace: frames.map(backtrace).filter(|text| !text.is_empty()),
            stderr: (!stderr.is_empty()).then(|| last_lines(&stderr)),
        }
    }
}

/// What the operating system refused the engine: a guest's own errors never come as one.
fn machine_error(error: &wasmtime::Error) -> Option<&std::io::Error> {
    error.downcast_ref::<std::io::Error>().filter(|error| error.raw_os_error().is_some())
}

fn is_unreachable(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<Trap>() == Some(&Trap::UnreachableCodeReached)
}

fn trap_text(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "stack overflow".to_owned(),
        Some(Trap::MemoryOutOfBounds) if is_deep_recursion(error) => {
            "stack overflow (out of bounds memory access, deep in a recursion)".to_owned()
        }
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None => error.root_cause().to_string(),
    }
}

/// Languages with a stack in linear memory leave it at its end before the engine's own stack is full.
fn is_deep_recursion(error: &wasmtime::Error) -> bool {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let innermost = trace.frames().first().map(FrameInfo::func_index);
    trace.frames().iter().filter(|frame| Some(frame.func_index()) == innermost).count() >= RECURSION_FRAMES
}

/// What Rust writes: `thread 'main' panicked at src/lib.rs:1:2:`, then the message, then a note.
fn panic_message(stderr: &str) -> Option<String> {
    let (_, after) = stderr.rsplit_once("panicked at ")?;
    let (place, rest) = after.split_once('\n').unwrap_or((after, ""));
    let lines: Vec<_> = rest.lines().take_while(|line| !line.starts_with("note: ")).collect();
    Some(format!("{} ({})", lines.join("\n").trim(), place.trim_end_matches(':')))
}

/// Whether a panic is for another reason than that there is no memory.
fn is_no_allocation(message: &str) -> bool {
    !message.contains("memory allocation of")
}

fn backtrace(trace: &WasmBacktrace) -> String {
    let mut text = String::new();
    for frame in trace.frames() {
        write_frame(&mut text, frame);
    }
    cut(&text)
}

fn write_frame(text: &mut String, frame: &FrameInfo) {
    let index = format!("<function {}>", frame.func_index());
    let outer = frame.func_name().unwrap_or(&index);
    for symbol in frame.symbols() {
        let name = demangled(symbol.name().unwrap_or(outer));
        let place = symbol.file().zip(symbol.line());
        let place = place.map(|(file, line)| format!(" at {file}:{line}")).unwrap_or_default();
        writeln!(text, "{name}{place}").expect("a string takes everything");
    }
    if frame.symbols().is_empty() {
        writeln!(text, "{}", demangled(outer)).expect("a string takes everything");
    }
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Lines escaped one by one, at most [`Limits::ERROR_TEXT_BYTES`] from the start.
fn cut(text: &str) -> String {
    let escaped = escape_lines(text);
    truncate(&escaped, Limits::ERROR_TEXT_BYTES).to_owned()
}

/// The same, from the end.
fn last_lines(text: &str) -> String {
    let escaped = escape_lines(text);
    let start = escaped.ceil_char_boundary(escaped.len().saturating_sub(Limits::ERROR_TEXT_BYTES));
    escaped[start..].to_owned()
}

fn escape_lines(text: &str) -> String {
    text.lines().map(|line| escape(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_read_from_standard_error() {
        let stderr = "noise\n\nthread '<unnamed>' panicked at src/lib.rs:17:27:\nbad luck\ntwice\nnote: run with `RUST_BACKTRACE=1`";
        assert_eq!(panic_message(stderr).unwrap(), "bad luck\ntwice (src/lib.rs:17:27)");
        assert_eq!(panic_message("no such thing"), None);
    }

    #[test]
    fn what_the_machine_refuses_is_told_from_what_the_guest_does() {
        let refused =
            wasmtime::Error::from(std::io::Error::from_raw_os_error(27)).context("making an instance");
        assert!(machine_error(&refused).is_some());
        assert!(machine_error(&wasmtime::Error::from(Trap::StackOverflow)).is_none());
        assert!(machine_error(&wasmtime::Error::from(std::io::Error::other("no code"))).is_none());
    }

    #[test]
    fn long_texts_are_cut_after_escaping() {
        let text = format!("{}\n\u{1b}last", "ä".repeat(Limits::ERROR_TEXT_BYTES));
        assert!(cut(&text).len() <= Limits::ERROR_TEXT_BYTES);
        assert!(last_lines(&text).ends_with("\n\\u{1b}last"));
    }
}
