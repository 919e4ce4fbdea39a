//! The sandbox of commands that compile or run a component themselves, and where compiled components are kept.

use std::env;
use std::path::PathBuf;

use tokio::runtime::Handle;
use wasmhost_protocol::bounds;
use wasmhost_sandbox::{Compiler, Sandbox, SandboxConfig};

use super::input;
use crate::error::{CliError, Exit};
use crate::output;

/// Makes a sandbox on the calling runtime, for one component at a time.
pub(crate) fn for_one_component(compiler: Compiler) -> Result<Sandbox, CliError> {
    let mut config = SandboxConfig::new(1, compiler);
    config.cache_dir = default_cache_dir();
    // All that a policy may ask for: `run` has no operator, and a push does not know the ceilings of hosts.
    config.max_memory_bytes = bounds::MEMORY_BYTES.max;
    Ok(Sandbox::new(config, Handle::current())?)
}

/// The compiler of hosts and of `module push`: a child process that runs this program.
pub(crate) fn child_compiler() -> Result<Compiler, CliError> {
    Ok(Compiler::Child { exe: this_program()? })
}

/// The file of this program.
pub(crate) fn this_program() -> Result<PathBuf, CliError> {
    env::current_exe()
        .map_err(|error| CliError::new(Exit::Config, format_args!("finding the running program: {error}")))
}

/// The directory in which compiled components are kept unless an operator names another one. Where it cannot be written
/// there is none, and a warning says so. It is never a directory for everybody: whoever can write there can run native code
/// in this process.
pub(crate) fn default_cache_dir() -> Option<PathBuf> {
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
