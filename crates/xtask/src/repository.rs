//! Where things are in the repository and its target directory.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// The repository that this program was built from.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Its root directory.
    pub(crate) root: PathBuf,
    /// Where cargo puts this workspace's programs: this one is among them.
    programs: PathBuf,
}

impl Repository {
    /// The repository of the running program.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .canonicalize()
            .context("the repository has moved since xtask was built: run `cargo xtask` inside it")?;
        // The target directory can be anywhere: CI has it outside of the clone. But this program was built into it.
        let program = env::current_exe().context("finding the running program")?;
        let programs = program.parent().context("the running program is in no directory")?.to_owned();
        Ok(Self { root, programs })
    }

    /// The ignored directory of installed tools.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// The workspace of the guest examples.
    pub(crate) fn examples(&self) -> PathBuf {
        self.root.join("guest-examples")
    }

    /// The workspace of the guests that only the tests run.
    pub(crate) fn test_guests(&self) -> PathBuf {
        self.root.join("tests/guests")
    }

    /// The workspaces: this one, and those of the guests.
    pub(crate) fn workspaces(&self) -> [PathBuf; 3] {
        [self.root.clone(), self.examples(), self.test_guests()]
    }

    /// The directories of this workspace's crates, in the order of their names.
    pub(crate) fn crates(&self) -> anyhow::Result<Vec<PathBuf>> {
        let directory = self.root.join("crates");
        let entries = fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?;
        let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut crates = paths.with_context(|| format!("reading {}", directory.display()))?;
        // The directory also has the map of the crates.
        crates.retain(|path| path.join("Cargo.toml").is_file());
        crates.sort();
        Ok(crates)
    }

    /// Where cargo puts what it makes of this workspace.
    pub(crate) fn target(&self) -> PathBuf {
        self.programs.join("..")
    }

    /// The program `wasmhost`, as `build` leaves it.
    pub(crate) fn wasmhost(&self) -> PathBuf {
        self.program("wasmhost")
    }

    /// The program `wasmhost` as a release has it.
    pub(crate) fn release_wasmhost(&self) -> PathBuf {
        self.target().join("release/wasmhost").with_extension(env::consts::EXE_EXTENSION)
    }

    /// A program of this workspace, as `build` leaves it.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// The same with faults on purpose, as `build::tests` leaves it.
    pub(crate) fn wasmhost_with_faults(&self) -> PathBuf {
        self.program("wasmhost-faults")
    }
}
