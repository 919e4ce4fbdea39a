//! The host's half of compiling in a child: starts the child, feeds it the component and reads the artifact. Where
//! there is none, this file decides who is to blame: the module only for what the child says itself, and for what the
//! child's own limits did.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use wasmhost_protocol::duration::format_duration;

use super::child::COMPILE_SUBCOMMAND;
use super::{child, sections};
use crate::load_error::LoadError;

/// How long a host waits for a child. The limit of the child is processor time, of which a busy machine gives it
/// little; a child that needs longer than this is stopped or starved.
const WALL_TIME: Duration = Duration::from_secs(900);
/// The most of a child's standard error that is kept, in bytes.
const STDERR_BYTES: u64 = 1 << 20;
/// What the runtime of Rust writes before it aborts for want of memory.
const OUT_OF_MEMORY_MESSAGE: &str = "memory allocation of ";
/// What it writes before it aborts for want of stack.
const STACK_OVERFLOW_MESSAGE: &str = "has overflowed its stack";

/// Compiles `wasm` in a child process, and returns the artifact.
pub(super) async fn compile(exe: &Path, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    match timeout(WALL_TIME, compile_in_child(exe, wasm)).await {
        Ok(compiled) => compiled,
        Err(_) => {
            Err(LoadError::Host(format!("the compiler had no end within {}", format_duration(WALL_TIME))))
        }
    }
}

async fn compile_in_child(exe: &Path, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    // The path of the program is for its operator alone: what is returned goes into records.
    let failed = |what: &str, error: io::Error| {
        tracing::warn!(exe = %exe.display(), %error, "{what} the compiler failed");
        LoadError::Host(format!("{what} the compiler: {error}"))
    };
    let child = spawn(exe).map_err(|error| failed("starting", error))?;
    let finished = communicate(child, wasm).await;
    let status = finished.status.map_err(|error| failed("waiting for", error))?;
    if !status.success() {
        let stderr = String::from_utf8_lossy(&finished.stderr.unwrap_or_default()).trim().to_owned();
        return Err(blame(status, &stderr));
    }
    let sections = finished.sections.map_err(|error| failed("reading from", error))?;
    // A child of a later version of this program may write more than the artifact.
    let artifact = sections.into_iter().next();
    artifact.ok_or_else(|| LoadError::Host("the compiler made nothing".to_owned()))
}

/// What a child left behind.
struct FinishedChild {
    sections: io::Result<Vec<Vec<u8>>>,
    status: io::Result<ExitStatus>,
    stderr: io::Result<Vec<u8>>,
}

/// Feeds the child and reads its pipes, all at once: it may write before it has read everything.
async fn communicate(mut child: Child, wasm: &[u8]) -> FinishedChild {
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let feed = async move {
        // A child that ends before it has read everything says why on its standard error.
        stdin.write_all(wasm).await.ok();
    };
    let sections = sections::read_all(child.stdout.take().expect("stdout is a pipe"));
    let stderr = read_beginning(child.stderr.take().expect("stderr is a pipe"));
    let output = async {
        let sections = sections.await;
        if sections.is_err() {
            // Nobody reads on after an error, and the child would wait for ever for somebody who does.
            child.start_kill().ok();
        }
        (sections, child.wait().await)
    };
    let ((), (sections, status), stderr) = tokio::join!(feed, output, stderr);
    FinishedChild { sections, status, stderr }
}

/// Decides whose fault it is that a child ended with this status. A signal that no limit of the child sends comes from
/// the machine: somebody killed the child, or the machine had no memory left.
fn blame(status: ExitStatus, stderr: &str) -> LoadError {
    let is_signal = |signal: Signal| status.signal() == Some(signal.as_raw());
    let aborted = is_signal(Signal::ABORT);
    let reason = if status.code() == Some(child::EXIT_REFUSED) {
        return serde_json::from_str(stderr)
            .unwrap_or_else(|_| LoadError::Host("the compiler refused it without a word".to_owned()));
    } else if is_signal(Signal::XCPU) {
        format!("it takes more than {} seconds of processor time", child::CPU_SECONDS)
    } else if aborted && stderr.contains(OUT_OF_MEMORY_MESSAGE) && !overcommits_never() {
        format!("it takes more than {} MiB of memory", child::ADDRESS_SPACE_BYTES >> 20)
    } else if aborted && stderr.contains(STACK_OVERFLOW_MESSAGE) {
        "its parts are nested too deeply".to_owned()
    } else {
        tracing::warn!(%status, stderr, "a compiler ended by no fault of its component");
        return LoadError::Host(format!("the compiler ended early ({status})"));
    };
    LoadError::Compile(reason)
}

/// Whether the system promises no more memory than it has; a child may then get none before it reaches its own limit.
fn overcommits_never() -> bool {
    std::fs::read("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim_ascii() == b"2")
}

fn spawn(exe: &Path) -> io::Result<Child> {
    Command::new(exe)
        .arg(COMPILE_SUBCOMMAND)
        // Credentials of the host may be in its environment.
        .env_clear()
        .envs(child::ENVIRONMENT)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // The child ends when nobody waits for it any more: at the timeout, and when the load is dropped.
        .kill_on_drop(true)
        .spawn()
}

/// Keeps the beginning of a child's standard error. The rest is read too, or the child would wait for a reader for
/// ever.
async fn read_beginning(stderr: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    let mut limited = stderr.take(STDERR_BYTES);
    limited.read_to_end(&mut beginning).await?;
    tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await?;
    Ok(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(signal: Signal, complaint: &str) -> LoadError {
        blame(ExitStatus::from_raw(signal.as_raw()), complaint)
    }

    fn exit(code: i32) -> LoadError {
        blame(ExitStatus::from_raw(code << 8), "a complaint")
    }

    #[test]
    fn a_module_is_blamed_for_what_the_child_says_and_for_its_limits_alone() {
        assert!(!overcommits_never(), "this machine cannot tell");
        let refusal = LoadError::MissingImports(vec!["acme:db/store@1.0.0".to_owned()]);
        let written = serde_json::to_string(&refusal).unwrap();
        assert_eq!(blame(ExitStatus::from_raw(child::EXIT_REFUSED << 8), &written), refusal);
        for (error, cause) in [
            (by(Signal::XCPU, ""), "processor time"),
            (by(Signal::ABORT, "memory allocation of 1073741824 bytes failed"), "2048 MiB of memory"),
            (by(Signal::ABORT, "thread 'main' has overflowed its stack"), "nested too deeply"),
        ] {
            assert!(matches!(&error, LoadError::Compile(text) if text.contains(cause)), "{error}");
        }
    }

    #[test]
    fn what_the_machine_did_to_a_child_is_the_hosts_fault() {
        for error in [
            by(Signal::KILL, ""),
            by(Signal::TERM, ""),
            by(Signal::SEGV, ""),
            by(Signal::ABORT, "assertion failed"),
            exit(1),
            exit(101),
        ] {
            assert!(matches!(&error, LoadError::Host(text) if text.contains("ended early")), "{error}");
        }
    }
}
