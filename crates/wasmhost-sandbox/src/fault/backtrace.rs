//! The backtrace of a guest, innermost frame first: demangled names, with file and line where the guest has them.

use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{cut_middle, escape, truncate};
use wasmtime::{FrameInfo, FrameSymbol, WasmBacktrace};

/// The most bytes of the name of a function; mangled names of templates may have thousands.
const NAME_BYTES: usize = 256;

/// One line for each frame; where there are too many, those in the middle are left out.
pub(super) fn text(trace: &WasmBacktrace) -> String {
    let lines: Vec<_> = trace.frames().iter().flat_map(lines).collect();
    cut_middle(&lines.join("\n"), Limits::ERROR_TEXT_BYTES, "frames")
}

/// The lines of one frame: the functions that were inlined into it have lines of their own.
fn lines(frame: &FrameInfo) -> Vec<String> {
    let index = format!("<function {}>", frame.func_index());
    let function = frame.func_name().unwrap_or(&index);
    if frame.symbols().is_empty() {
        return vec![name(function)];
    }
    let inlined = frame.symbols().iter();
    inlined.map(|symbol| format!("{}{}", name(symbol.name().unwrap_or(function)), location(symbol))).collect()
}

/// ` at src/lib.rs:17`, or nothing.
fn location(symbol: &FrameSymbol) -> String {
    let location = symbol.file().zip(symbol.line());
    location.map(|(file, line)| format!(" at {}:{line}", escape(file))).unwrap_or_default()
}

fn name(mangled: &str) -> String {
    let name = escape(&format!("{:#}", rustc_demangle::demangle(mangled)));
    let cut = truncate(&name, NAME_BYTES);
    if cut.len() < name.len() { format!("{cut}…") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_demangled_escaped_and_cut() {
        assert_eq!(name("_ZN7hostile7perform17h0123456789abcdefE"), "hostile::perform");
        assert_eq!(name("a\u{1b}[31m"), "a\\u{1b}[31m");
        assert_eq!(name(&"_Z".repeat(4_000)).len(), NAME_BYTES + "…".len());
    }
}
