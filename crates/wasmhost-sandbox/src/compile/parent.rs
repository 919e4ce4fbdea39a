//! The host's half: starts the child, feeds it, reads what it makes, and says whose fault it is where it makes nothing. Only
//! what a child says itself, or what its own limits did, is the module's.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use wasmhost_protocol::duration::format_duration;

use super::child::COMPILE_SUBCOMMAND;
use super::{child, sections};
use crate::load_error::LoadError;

/// The longest that is waited for a child. Its limit is processor time, which a busy machine gives it slowly; whoever needs
/// longer than this is stopped, or starves.
const WALL: Duration = Duration::from_secs(900);
/// The most of a child's complaints that is read.
const COMPLAINT_BYTES: u64 = 1 << 20;
/// What Rust's runtime writes before it ends a process that gets no more memory.
const NO_MEMORY: &str = "memory allocation of ";
/// And one whose stack is full.
const NO_STACK: &str = "has overflowed its stack";

/// The artifact of `wasm`.
pub(super) async fn compile(exe: &Path, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    match timeout(WALL, compile_in_child(exe, wasm)).await {
        Ok(compiled) => compiled,
        Err(_) => Err(LoadError::Host(format!("the compiler had no end within {}", format_duration(WALL)))),
    }
}

async fn compile_in_child(exe: &Path, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
    // Where a program stands on this machine is for its operator: what is returned gets into records.
    let failed = |what: &str, error: std::io::Error| {
        tracing::warn!(exe = %exe.display(), %error, "{what} the compiler failed");
        LoadError::Host(format!("{what} the compiler: {error}"))
    };
    let mut child = spawn(exe).map_err(|error| failed("starting", error))?;
    let mut input = child.stdin.take().expect("stdin is a pipe");
    let feed = async move {
        // A child that ends early says why on its standard error.
        input.write_all(wasm).await.ok();
    };
    let output = sections::read_all(child.stdout.take().expect("stdout is a pipe"));
    let complaint = read(child.stderr.take().expect("stderr is a pipe"));
    // Nobody reads what comes behind an error: the child, which waits for that, is ended.
    let output = async {
        let output = output.await;
        if output.is_err() {
            child.start_kill().ok();
        }
        (output, child.wait().await)
    };
    let ((), (output, status), complaint) = tokio::join!(feed, output, complaint);
    let status = status.map_err(|error| failed("waiting for", error))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint.unwrap_or_default()).trim().to_owned();
        return Err(blame(status, &complaint));
    }
    let sections = output.map_err(|error| failed("reading from", error))?;
    let artifact = sections.into_iter().next();
    artifact.ok_or_else(|| LoadError::Host("the compiler made nothing".to_owned()))
}

/// Whose fault it is that a child ended so. A signal that nobody's limit sent is the machine's: somebody ended it, or there was
/// no memory left on the whole of it.
fn blame(status: ExitStatus, complaint: &str) -> LoadError {
    let aborted = status.signal() == Some(rustix::process::Signal::ABORT.as_raw());
    let text = if status.code() == Some(child::REFUSED) {
        return serde_json::from_str(complaint)
            .unwrap_or_else(|_| LoadError::Host("the compiler refused it without a word".to_owned()));
    } else if status.signal() == Some(rustix::process::Signal::XCPU.as_raw()) {
        format!("it takes more than {} seconds of processor time", child::CPU_SECONDS)
    } else if aborted && complaint.contains(NO_MEMORY) && !is_memory_promised_strictly() {
        format!("it takes more than {} MiB of memory", child::ADDRESS_SPACE_BYTES >> 20)
    } else if aborted && complaint.contains(NO_STACK) {
        "its parts are nested too deeply".to_owned()
    } else {
        tracing::warn!(%status, complaint, "a compiler ended by no fault of its component");
        return LoadError::Host(format!("the compiler ended early ({status})"));
    };
    LoadError::Compile(text)
}

/// Where the system promises no more memory than it has, a child may get none before its own limit.
fn is_memory_promised_strictly() -> bool {
    std::fs::read("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim_ascii() == b"2")
}

fn spawn(exe: &Path) -> std::io::Result<Child> {
    Command::new(exe)
        .arg(COMPILE_SUBCOMMAND)
        .env_clear()
        .envs(child::ENVIRONMENT)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// The first of what it complains. All of it is read, or the child would wait for ever.
async fn read(from: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut from = from.take(COMPLAINT_BYTES);
    from.read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut from.into_inner(), &mut tokio::io::sink()).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rustix::process::Signal;

    use super::*;

    fn by(signal: Signal, complaint: &str) -> LoadError {
        blame(ExitStatus::from_raw(signal.as_raw()), complaint)
    }

    fn exit(code: i32) -> LoadError {
        blame(ExitStatus::from_raw(code << 8), "a complaint")
    }

    #[test]
    fn a_module_is_blamed_for_what_the_child_says_and_for_its_limits_alone() {
        assert!(!is_memory_promised_strictly(), "this machine cannot tell");
        let refusal = LoadError::MissingImports(vec!["acme:db/store@1.0.0".to_owned()]);
        let said = serde_json::to_string(&refusal).unwrap();
        assert_eq!(blame(ExitStatus::from_raw(child::REFUSED << 8), &said), refusal);
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
