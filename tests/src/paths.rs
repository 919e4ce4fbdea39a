//! Where the programs and the guests are.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use nats_server_child::Finder;

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a directory of the repository")
}

/// The component of a guest of the tests, or of a guest example.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    let own = root().join("tests/guests");
    let workspace = if own.join(name).is_dir() { own } else { root().join("guest-examples") };
    workspace.join("target/wasm32-wasip2/release").join(name).with_extension("wasm")
}

/// The oldest nats-server that is supported; none where nobody installed it.
#[must_use]
pub fn oldest_nats_server() -> Option<PathBuf> {
    env::var_os("WASMHOST_OLDEST_NATS_SERVER").map(PathBuf::from)
}

/// A number that the environment may raise for a longer run.
///
/// # Panics
///
/// Where what stands there is none.
#[must_use]
pub fn number(variable: &str, default: u64) -> u64 {
    let Some(text) = env::var_os(variable) else { return default };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{variable}: {text:?} is no number"))
}

/// A nats-server that is new enough.
///
/// # Errors
///
/// Where there is none.
pub fn nats_server() -> anyhow::Result<PathBuf> {
    Ok(Finder::of_workspace(root()).find()?.path)
}

/// The `nats` command line; none where nobody installed it.
pub(crate) fn nats_cli() -> Option<PathBuf> {
    let named = env::var_os("WASMHOST_NATS_CLI").map(PathBuf::from);
    let installed = root().join(".tools/bin/nats");
    let on_path = env::split_paths(&path()).map(|directory| directory.join("nats")).collect::<Vec<_>>();
    named.into_iter().chain([installed]).chain(on_path).find(|program| program.is_file())
}

/// The program `wasmhost`: named by the environment, else the one that was built beside the tests.
pub(crate) fn wasmhost() -> anyhow::Result<PathBuf> {
    let program = match env::var_os("WASMHOST_BIN") {
        Some(named) => PathBuf::from(named),
        None => programs()?.join("wasmhost"),
    };
    ensure!(program.is_file(), "no {}: build it with `cargo build -p wasmhost-cli`", program.display());
    Ok(program)
}

/// The program `wasmhost` with switches that break its promises, for negative controls; none where nobody built it.
#[must_use]
pub fn broken_wasmhost() -> Option<PathBuf> {
    env::var_os("WASMHOST_FAULTS_BIN").map(PathBuf::from)
}

/// A directory that all hosts keep compiled modules in, as hosts of one machine do: compiling costs seconds.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let directory = programs()?.join("end-to-end-cache");
    fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    Ok(directory)
}

/// The search path of programs.
pub(crate) fn path() -> OsString {
    env::var_os("PATH").unwrap_or_default()
}

/// Where cargo puts programs: the directory of the running program, or the one above that of the running test.
fn programs() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("finding the running program")?;
    let directory = program.parent().context("the running program is in no directory")?;
    let above = directory.parent().filter(|_| directory.ends_with("deps"));
    Ok(above.unwrap_or(directory).to_owned())
}
