//! The compiling child's own half: limits itself, reads a component from standard input, writes the artifact to
//! standard output.

use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmhost_protocol::policy::Limits;
use wasmtime::Engine;

use super::sections::{self, ARTIFACT_BYTES};
use crate::load_error::LoadError;
use crate::{artifact, engine};

/// The hidden subcommand of the compiling child.
pub const COMPILE_SUBCOMMAND: &str = "compile-component";
/// Exit code of a child that read the component and does not like it.
pub(super) const REFUSED: i32 = 3;
/// All that a child may map, its program and stacks among it.
pub(super) const ADDRESS_SPACE_BYTES: u64 = 2 << 30;
/// Processor time of all its threads together: a large interpreter takes a fifth of it.
pub(super) const CPU_SECONDS: u64 = 60;
/// A child's whole environment. Each arena of the allocator takes 64 MiB of addresses, and on a machine of many cores there would be
/// hundreds of them.
pub(super) const ENVIRONMENT: [(&str, &str); 1] = [("MALLOC_ARENA_MAX", "4")];

/// The signal that tells of the limit comes first; what ends a process for certain, later.
const CPU_SECONDS_HARD: u64 = CPU_SECONDS + 5;
/// Threads that compile. More would take addresses from the others.
const THREADS: usize = 4;
/// So that what has to be done at once is done before: beats, and guests.
const NICE: i32 = 5;
/// Standard input, output and error.
const DESCRIPTORS: u64 = 3;

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
    /// The component is at fault.
    Refused(String),
    /// This process, or its machine.
    Broken(String),
}

fn complain(text: &str, code: ExitCode) -> ExitCode {
    // Whoever started this may be gone; the code says enough then.
    writeln!(std::io::stderr(), "{text}").ok();
    code
}

fn compile() -> Result<(), Failure> {
    let engine = prepare().map_err(Failure::Broken)?;
    let mut wasm = Vec::new();
    let most = Limits::MODULE_BYTES as u64;
    std::io::stdin().take(most).read_to_end(&mut wasm).map_err(|error| broken("reading", error))?;
    // What it says of a panic is said once, and without the paths of whoever built this.
    std::panic::set_hook(Box::new(|_| {}));
    let made = std::panic::catch_unwind(AssertUnwindSafe(|| artifact::make(&engine, &wasm)));
    let made = made.unwrap_or_else(|panic| {
        Err(LoadError::Compile(format!("the compiler panicked: {}", text_of(&*panic))))
    });
    let artifact = made.map_err(|error| refused(&error))?;
    if artifact.len() > ARTIFACT_BYTES {
        let (found, most) = (artifact.len() >> 20, ARTIFACT_BYTES >> 20);
        let text = format!("compiled, it has {found} MiB, more than {most}");
        return Err(refused(&LoadError::Compile(text)));
    }
    let mut output = std::io::stdout();
    sections::write(&mut output, &artifact)
        .and_then(|()| output.flush())
        .map_err(|error| broken("writing", error))
}

/// The refusal travels whole, so that the host says what the child would.
fn refused(error: &LoadError) -> Failure {
    match serde_json::to_string(error) {
        Ok(text) => Failure::Refused(text),
        Err(error) => Failure::Broken(error.to_string()),
    }
}

fn broken(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::Broken(format!("{what}: {error}"))
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// Takes what is needed from the system, and gives up the rest, before a byte of the component is read.
fn prepare() -> Result<Engine, String> {
    close_what_is_inherited();
    end_with_the_parent().map_err(|error| format!("asking to end with the host: {error}"))?;
    rustix::process::nice(NICE).map_err(|error| format!("giving way to others: {error}"))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|error| format!("starting {threads} threads: {error}"))?;
    let engine = engine::on_demand().map_err(|error| format!("{error:#}"))?;
    limit_this_process().map_err(|error| format!("limiting the compiler: {error}"))?;
    Ok(engine)
}

/// Three descriptors and no more are neither files nor sockets that were not there before: no network, and nothing of the disk.
/// Whoever has taken the compiler over may close one of the three for it; to keep them from that takes a filter of system calls.
fn limit_this_process() -> rustix::io::Result<()> {
    let limits = [
        (Resource::As, ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES),
        (Resource::Cpu, CPU_SECONDS, CPU_SECONDS_HARD),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nofile, DESCRIPTORS, DESCRIPTORS),
        // Neither threads nor processes beside those that run; the superuser is not held by it.
        (Resource::Nproc, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
    }
    Ok(())
}

/// The host's own descriptors are closed for its children; this is about those that somebody left open in it.
fn close_what_is_inherited() {
    let Ok(list) = std::fs::read_dir("/proc/self/fd") else { return };
    let listed: Vec<i32> = list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The list's own is closed by now.
    let is_open = |fd: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok();
    for fd in listed.into_iter().filter(|fd| *fd > 2).filter(is_open) {
        #[expect(unsafe_code, reason = "descriptors that were inherited have no owner in this process")]
        // SAFETY: it is open, and this process has opened none so far: nobody in it uses what is closed here.
        unsafe {
            rustix::io::close(fd);
        }
    }
}

/// By the thread that started this, which lives as long as the host.
#[cfg(target_os = "linux")]
fn end_with_the_parent() -> rustix::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
}

/// Other systems have no such wish: the processor time ends it.
#[cfg(not(target_os = "linux"))]
fn end_with_the_parent() -> rustix::io::Result<()> {
    Ok(())
}
