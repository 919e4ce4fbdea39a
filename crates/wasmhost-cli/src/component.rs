//! Component files: read, checked and compiled by the sandbox that runs them; the name that a file's module gets.

use std::env;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::timeout;
use wasmhost_protocol::bounds;
use wasmhost_protocol::ids::{InvalidName, ModuleName};
use wasmhost_protocol::manifest::Manifest;
use wasmhost_sandbox::{Compiler, LoadError, LoadedModule, Sandbox, SandboxConfig, SandboxError};

use crate::error::{CliError, chain};
use crate::exit::Exit;
use crate::flag_values::format_bytes;
use crate::{input, output};

/// What compiles faster needs no word.
const PATIENCE: Duration = Duration::from_secs(1);

/// A component that can run here.
pub(crate) struct Component {
    /// Its bytes.
    pub(crate) wasm: Bytes,
    /// What is in it.
    pub(crate) manifest: Manifest,
    /// The same, ready to start.
    pub(crate) loaded: Arc<LoadedModule>,
}

/// Reads, checks and compiles a file.
pub(crate) async fn load(sandbox: &Sandbox, path: &Path) -> Result<Component, CliError> {
    let wasm = input::module(path)?;
    let digest = wasmhost_nats::digest_of(&wasm);
    let mut loading = pin!(sandbox.load(digest, wasm.clone()));
    let loaded = match timeout(PATIENCE, &mut loading).await {
        Ok(loaded) => loaded,
        Err(_) => {
            let size = format_bytes(wasm.len() as u64);
            let once = if sandbox.has_cache() { ", once: from then on it is in the cache" } else { "" };
            output::note(format_args!("compiling {} ({size}){once} …", input::shown(path)));
            loading.await
        }
    };
    let checked = loaded.and_then(|loaded| Ok((loaded.manifest()?, loaded)));
    let (manifest, loaded) = checked.map_err(|error| refused(path, &error))?;
    Ok(Component { wasm, manifest, loaded })
}

/// A sandbox on the calling runtime, for one component at a time.
pub(crate) fn sandbox(compiler: Compiler) -> Result<Sandbox, CliError> {
    let mut config = SandboxConfig::new(1, compiler);
    config.cache_dir = usual_cache_dir();
    // What a policy may ask for at all: `run` has no operator, and a push does not know the hosts' ceilings.
    config.max_memory_bytes = bounds::MEMORY_BYTES.most;
    Sandbox::new(config, Handle::current()).map_err(|error| no_sandbox(&error))
}

/// The compiler of hosts and `module push`: a child of this program.
pub(crate) fn child_compiler() -> Result<Compiler, CliError> {
    let exe = env::current_exe()
        .map_err(|error| CliError::new(Exit::Config, format_args!("finding the running program: {error}")))?;
    Ok(Compiler::Child { exe })
}

/// Where compiled components are kept unless somebody says otherwise; none, with a word on it, where that cannot be written.
/// Not in a directory for everybody: whoever may write there could run native code in this process.
pub(crate) fn usual_cache_dir() -> Option<PathBuf> {
    let directory = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = directory("XDG_CACHE_HOME").or_else(|| directory("HOME").map(|home| home.join(".cache")));
    let why = match cache.map(|cache| cache.join("wasmhost")) {
        Some(cache) => match Sandbox::check_cache(&cache) {
            Ok(()) => return Some(cache),
            Err(error) => format!("{}: {error}", input::shown(&cache)),
        },
        None => "neither XDG_CACHE_HOME nor HOME is a directory".to_owned(),
    };
    output::note(format_args!("warning: components are compiled at each start, as none can be kept: {why}"));
    None
}

/// The module's name from the file's: `My_Task.wasm` and `my task.component.wasm` are `my-task`.
pub(crate) fn module_name(path: &Path) -> Result<ModuleName, InvalidName> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = stem.strip_suffix(".component").unwrap_or(&stem);
    let words: Vec<_> =
        stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    ModuleName::parse(&words.join("-"))
}

/// Why there is no sandbox.
pub(crate) fn no_sandbox(error: &SandboxError) -> CliError {
    CliError::new(
        Exit::Config,
        format_args!("{}; see --cache-dir and the limits of this process", chain(error)),
    )
}

fn refused(path: &Path, error: &LoadError) -> CliError {
    let exit = match error {
        LoadError::Host(_) => Exit::Config,
        _ => Exit::BadFile,
    };
    CliError::new(exit, format_args!("{}: {}", input::shown(path), chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_module() {
        let name = |path: &str| module_name(Path::new(path)).map(|name| name.to_string());
        assert_eq!(name("target/My_Task.wasm").as_deref(), Ok("my-task"));
        assert_eq!(name("x.component.wasm").as_deref(), Ok("x"));
        assert_eq!(name("a  b-1.2.wasm").as_deref(), Ok("a-b-1-2"));
        assert_eq!(name("component.wasm").as_deref(), Ok("component"));
        for bad in ["..", "__.wasm"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
