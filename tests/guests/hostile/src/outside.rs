//! Deeds that reach for the machine: environment, files, network, standard error.

use std::{
    env, fs,
    io::{self, Write as _},
    net::TcpStream,
    path::Path,
};

use serde_json::{Value, json};

/// Writes numbered lines to stderr.
pub fn stderr(lines: u32) -> Value {
    for line in 1..=lines {
        eprintln!("hostile line {line} of {lines}");
    }
    json!(lines)
}

/// Writes numbered lines to stdout, all of them in one go.
pub fn stdout(lines: u32) -> Value {
    let text: String = (1..=lines).map(|line| format!("line {line}\n")).collect();
    io::stdout().write_all(text.as_bytes()).expect("standard output takes everything");
    json!(lines)
}

/// Writes a text to stderr.
pub fn write(text: &str) -> Value {
    eprint!("{text}");
    Value::Null
}

/// Returns the environment variables and arguments that the guest sees.
pub fn environment() -> Value {
    let vars: serde_json::Map<_, _> = env::vars().map(|(name, value)| (name, json!(value))).collect();
    json!({ "vars": vars, "args": env::args().collect::<Vec<_>>() })
}

/// Tries to read a file, to list the root and to write a file, and returns the outcome of each.
pub fn files() -> Value {
    let list = |path: &Path| fs::read_dir(path).map(|entries| entries.count());
    json!({
        "read": said(fs::read_to_string("/etc/passwd")),
        "list": said(list(Path::new("/"))),
        "write": said(fs::write("/tmp/hostile", "was here")),
    })
}

/// Tries to open a TCP connection, and returns the outcome.
pub fn network(addr: &str) -> Value {
    said(TcpStream::connect(addr))
}

/// Returns `{"error": "…"}`, or `{"succeeded": true}` if the sandbox let it happen.
fn said<T>(result: io::Result<T>) -> Value {
    match result {
        Ok(_) => json!({ "succeeded": true }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}
