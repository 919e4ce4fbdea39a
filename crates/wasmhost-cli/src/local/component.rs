//! Component files: read, checked and compiled by the sandbox that runs them, and pushed as modules.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;
use wasmhost_client::Client;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::{InvalidName, ModuleName};
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::text::format_size_rounded;
use wasmhost_sandbox::{LoadError, LoadedModule, Sandbox};

use super::input;
use crate::error::{CliError, Exit, chain};
use crate::output;

/// How long a component is compiled without a word.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// A component that can run here.
pub(crate) struct Component {
    /// The bytes of the file.
    pub(crate) wasm: Bytes,
    /// What the component exports and imports.
    pub(crate) manifest: Manifest,
    /// The compiled component, ready to start.
    pub(crate) loaded: Arc<LoadedModule>,
}

impl Component {
    /// Reads, checks and compiles a file.
    pub(crate) async fn load(sandbox: &Sandbox, path: &Path) -> Result<Self, CliError> {
        let wasm = input::component(path)?;
        let digest = Digest::of(&wasm);
        let mut loading = pin!(sandbox.load(digest, wasm.clone()));
        let loaded = match timeout(PROGRESS_DELAY, &mut loading).await {
            Ok(loaded) => loaded,
            // Only the waiting has ended, and the loading goes on.
            Err(_) => {
                note_compiling(sandbox, path, wasm.len());
                loading.await
            }
        };
        let checked = loaded.and_then(|loaded| Ok((loaded.manifest()?, loaded)));
        let (manifest, loaded) = checked.map_err(|error| refused(path, &error))?;
        Ok(Self { wasm, manifest, loaded })
    }

    /// Makes the component the current version of a module.
    pub(crate) async fn push(
        self,
        client: &Client,
        name: &ModuleName,
        policy: Policy,
    ) -> Result<ModuleEntry, CliError> {
        Ok(client.modules().push(name, self.wasm, policy, self.manifest).await?)
    }
}

/// The name of a file's module: `My_Task.wasm` and `my task.component.wasm` are `my-task`.
pub(crate) fn module_name(path: &Path) -> Result<ModuleName, InvalidName> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = stem.strip_suffix(".component").unwrap_or(&stem);
    let words: Vec<_> =
        stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    ModuleName::parse(&words.join("-"))
}

fn note_compiling(sandbox: &Sandbox, path: &Path, bytes: usize) {
    let size = format_size_rounded(bytes as u64);
    let once = if sandbox.has_cache() { ", once: from then on it is in the cache" } else { "" };
    output::note(format_args!("compiling {} ({size}){once} …", input::shown(path)));
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
