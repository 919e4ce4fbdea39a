//! Where the programs and the guests are. What is missing is an error that names the command which makes it: no test passes
//! because something that it needs is not there.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

/// The root of the repository.
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

/// The path of [`guest`], for a command line.
///
/// # Errors
///
/// The path is not UTF-8.
pub fn guest_path(name: &str) -> anyhow::Result<String> {
    guest(name).into_os_string().into_string().ok().context("a path that is not UTF-8")
}

/// A nats-server that is new enough.
///
/// # Errors
///
/// There is none; the error says how to get one.
pub fn nats_server() -> anyhow::Result<PathBuf> {
    Ok(wasmhost_testing::finder().find()?.path)
}

/// The oldest nats-server that is supported.
///
/// # Errors
///
/// It is not installed.
pub fn oldest_nats_server() -> anyhow::Result<PathBuf> {
    let installed = root().join(".tools/oldest/nats-server");
    first_file([named("WASMHOST_OLDEST_NATS_SERVER"), Some(installed)])
        .context("no nats-server of the oldest supported version; fix: run `cargo xtask tools`")
}

/// The `nats` command line.
///
/// # Errors
///
/// It is not installed.
pub(crate) fn nats_cli() -> anyhow::Result<PathBuf> {
    let installed = tools().join("nats");
    let on_path =
        env::split_paths(&search_path()).map(|directory| Some(directory.join("nats"))).collect::<Vec<_>>();
    first_file([named("WASMHOST_NATS_CLI"), Some(installed)].into_iter().chain(on_path))
        .context("no `nats` command line; fix: install Go, and run `cargo xtask tools`")
}

/// The program `wasmhost`: the one that the environment names, or the one that was built beside the tests.
pub(crate) fn wasmhost() -> anyhow::Result<PathBuf> {
    let program = named("WASMHOST_BIN").map_or_else(|| Ok(programs()?.join("wasmhost")), anyhow::Ok)?;
    ensure!(program.is_file(), "no {}; fix: run `cargo build --bin wasmhost`", program.display());
    Ok(program)
}

/// The build of `wasmhost` whose promises can be broken on purpose, by failpoints.
///
/// # Errors
///
/// It was not built.
pub fn wasmhost_with_faults() -> anyhow::Result<PathBuf> {
    let built = programs()?.join("wasmhost-faults");
    first_file([named("WASMHOST_FAULTS_BIN"), Some(built)])
        .context("no `wasmhost` with faults; fix: run the tests by `cargo xtask test`, which builds it")
}

/// A number that an environment variable may raise for a longer run.
///
/// # Panics
///
/// The variable is set, and is not a number.
#[must_use]
pub fn number(variable: &str, default: u64) -> u64 {
    let Some(text) = env::var_os(variable) else { return default };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{variable}: {text:?} is not a number"))
}

/// A directory in which all hosts keep compiled modules, as hosts of one machine do: compiling costs seconds.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let directory = programs()?.join("end-to-end-cache");
    fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    Ok(directory)
}

/// Where `cargo xtask tools` installs programs.
pub(crate) fn tools() -> PathBuf {
    root().join(".tools/bin")
}

/// The search path of programs.
pub(crate) fn search_path() -> OsString {
    env::var_os("PATH").unwrap_or_default()
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

fn first_file(candidates: impl IntoIterator<Item = Option<PathBuf>>) -> Option<PathBuf> {
    candidates.into_iter().flatten().find(|path| path.is_file())
}

/// Where cargo puts programs: the directory of the running program, or the one above that of the running test.
fn programs() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("finding the running program")?;
    let directory = program.parent().context("the running program is in no directory")?;
    let above = directory.parent().filter(|_| directory.ends_with("deps"));
    Ok(above.unwrap_or(directory).to_owned())
}
