//! The child's half of compiling: gives up what it does not need, reads a component from its standard input, and writes
//! the artifact to its standard output.

use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmhost_protocol::policy::Limits;
use wasmtime::Engine;

use super::sections::{self, ARTIFACT_BYTES};
use crate::load_error::LoadError;
use crate::{artifact, engine};

/// The hidden subcommand under which a program is the compiling child.
pub const COMPILE_SUBCOMMAND: &str = "compile-component";

/// The exit code of a child that refuses its component; the reason is on its standard error, as JSON.
pub(super) const EXIT_REFUSED: i32 = 3;
/// The address space of a child, its program and stacks included, in bytes.
pub(super) const ADDRESS_SPACE_BYTES: u64 = 2 << 30;
/// The processor time of all threads of a child together. A large interpreter takes a fifth of it.
pub(super) const CPU_SECONDS: u64 = 60;
/// The whole environment of a child. Each arena of the allocator takes 64 MiB of addresses, and on a machine of many
/// cores there would be hundreds of them.
pub(super) const ENVIRONMENT: [(&str, &str); 1] = [("MALLOC_ARENA_MAX", "4")];

/// The processor time after which the kernel kills a child. It is longer than [`CPU_SECONDS`], at which the kernel
/// sends the signal by which the parent recognises this limit.
const CPU_SECONDS_HARD: u64 = CPU_SECONDS + 5;
/// The most threads that compile; each takes addresses from the others.
const THREADS: usize = 4;
/// How far a child gives way to beats and guests.
const NICE: i32 = 5;
/// Standard input, output and error.
const DESCRIPTORS: u64 = 3;

/// Compiles the component on standard input, as the compiling child. A program calls it before anything else when its
/// subcommand is [`COMPILE_SUBCOMMAND`].
#[must_use]
pub fn compile_child_main() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(text)) => fail(&text, ExitCode::from(EXIT_REFUSED as u8)),
        Err(Failure::Broken(text)) => fail(&text, ExitCode::FAILURE),
    }
}

/// Why there is no artifact.
enum Failure {
    /// The component is at fault; the text is a [`LoadError`] as JSON.
    Refused(String),
    /// This process or its machine is at fault.
    Broken(String),
}

fn fail(text: &str, code: ExitCode) -> ExitCode {
    // The parent may have gone, and then nobody needs the text.
    writeln!(std::io::stderr(), "{text}").ok();
    code
}

fn compile() -> Result<(), Failure> {
    let engine = confine_and_start().map_err(Failure::Broken)?;
    let mut wasm = Vec::new();
    // The parent has checked the size already; this bounds what anything else on the pipe could send.
    let most = Limits::MODULE_BYTES as u64;
    std::io::stdin().take(most).read_to_end(&mut wasm).map_err(|error| broken("reading", error))?;
    let artifact = compile_or_panic(&engine, &wasm).map_err(|error| refused(&error))?;
    // If the child does not refuse it, the parent ends the child for what it writes, and blames the host.
    if artifact.len() > ARTIFACT_BYTES {
        let found = artifact.len() >> 20;
        let most = ARTIFACT_BYTES >> 20;
        let text = format!("compiled, it has {found} MiB, more than {most}");
        return Err(refused(&LoadError::Compile(text)));
    }
    let mut output = std::io::stdout();
    sections::write(&mut output, &artifact)
        .and_then(|()| output.flush())
        .map_err(|error| broken("writing", error))
}

/// Compiles the component. A panic of the compiler is a refusal: a component that causes it causes it on every host.
fn compile_or_panic(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    // The usual hook would print the panic a second time, with paths of the machine that built this program.
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(AssertUnwindSafe(|| artifact::compile(engine, wasm))).unwrap_or_else(|panic| {
        Err(LoadError::Compile(format!("the compiler panicked: {}", panic_text(&*panic))))
    })
}

/// A refusal with its error as JSON, so that the host reports it in the child's words.
fn refused(error: &LoadError) -> Failure {
    match serde_json::to_string(error) {
        Ok(text) => Failure::Refused(text),
        Err(error) => Failure::Broken(error.to_string()),
    }
}

fn broken(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::Broken(format!("{what}: {error}"))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// Takes what compiling needs from the system and gives up the rest, before a byte of the component is read.
fn confine_and_start() -> Result<Engine, String> {
    close_inherited_descriptors();
    die_with_parent().map_err(|error| format!("asking to end with the host: {error}"))?;
    rustix::process::nice(NICE).map_err(|error| format!("giving way to others: {error}"))?;
    // Threads are started before the limits are set, which allow no new ones.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|error| format!("starting {threads} threads: {error}"))?;
    let engine = engine::on_demand().map_err(|error| format!("{error:#}"))?;
    limit_resources().map_err(|error| format!("limiting the compiler: {error}"))?;
    Ok(engine)
}

/// Limits this process. With three descriptors open and three allowed it can open neither files nor sockets. Code that
/// has taken the compiler over may close one of the three and open another in its place; only a filter of system calls
/// would stop it.
fn limit_resources() -> rustix::io::Result<()> {
    let limits = [
        (Resource::As, ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES),
        (Resource::Cpu, CPU_SECONDS, CPU_SECONDS_HARD),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nofile, DESCRIPTORS, DESCRIPTORS),
        // This allows no new threads and processes; it does not hold for the superuser.
        (Resource::Nproc, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
    }
    Ok(())
}

/// Closes descriptors that whoever started the host left open in it; those of the host itself are closed in every
/// child.
fn close_inherited_descriptors() {
    let Ok(list) = std::fs::read_dir("/proc/self/fd") else { return };
    let listed: Vec<i32> = list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The list has its own descriptor in it, which is closed by now.
    let is_open = |fd: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok();
    for fd in listed.into_iter().filter(|fd| *fd > 2).filter(is_open) {
        #[expect(unsafe_code, reason = "descriptors that were inherited have no owner in this process")]
        // SAFETY: the descriptor is open, and this process has opened none so far: nobody in it uses what is closed
        // here.
        unsafe {
            rustix::io::close(fd);
        }
    }
}

/// Asks the kernel to kill this process when the thread that started it ends, which lives as long as the host.
#[cfg(target_os = "linux")]
fn die_with_parent() -> rustix::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
}

/// Other systems cannot be asked; there the limit of processor time ends this process.
#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> rustix::io::Result<()> {
    Ok(())
}
