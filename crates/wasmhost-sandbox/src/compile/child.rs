//! The compiling child's own half: limits itself, reads a component from standard input, writes the artifact to
//! standard output.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmhost_protocol::Limits;

use crate::load::LoadError;
use crate::{artifact, engine};

/// Exit code of a child that read the component and does not like it.
pub(super) const REFUSED: i32 = 3;

const ADDRESS_SPACE_BYTES: u64 = 2 << 30;
const CPU_SECONDS: u64 = 60;

/// What the hidden subcommand does; the command line calls it before anything else.
#[must_use]
pub fn compile_child_main() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(text)) => complain(&text, ExitCode::from(REFUSED as u8)),
        Err(Failure::Broken(text)) => complain(&text, ExitCode::FAILURE),
    }
}

enum Failure {
    Refused(String),
    Broken(String),
}

fn complain(text: &str, code: ExitCode) -> ExitCode {
    // Whoever started this may be gone; the code says enough then.
    writeln!(std::io::stderr(), "{text}").ok();
    code
}

fn compile() -> Result<(), Failure> {
    limit_this_process().map_err(|error| Failure::Broken(format!("limiting the compiler: {error}")))?;
    let mut wasm = Vec::new();
    let most = Limits::MODULE_BYTES as u64;
    std::io::stdin().take(most).read_to_end(&mut wasm).map_err(|error| broken("reading", &error))?;
    let engine = engine::on_demand().map_err(|error| Failure::Broken(format!("{error:#}")))?;
    let artifact = artifact::make(&engine, &wasm).map_err(|error| refused(&error))?;
    std::io::stdout().write_all(&artifact).map_err(|error| broken("writing", &error))
}

/// The refusal travels whole, so that the host says what the child would.
fn refused(error: &LoadError) -> Failure {
    match serde_json::to_string(error) {
        Ok(text) => Failure::Refused(text),
        Err(error) => Failure::Broken(error.to_string()),
    }
}

fn broken(what: &str, error: &std::io::Error) -> Failure {
    Failure::Broken(format!("{what}: {error}"))
}

fn limit_this_process() -> rustix::io::Result<()> {
    for (resource, most) in
        [(Resource::As, ADDRESS_SPACE_BYTES), (Resource::Cpu, CPU_SECONDS), (Resource::Core, 0)]
    {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}
