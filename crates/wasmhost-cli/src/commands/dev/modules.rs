//! The component files of a directory, and the names of the modules that they become.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::read_dir;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wasmhost_protocol::ids::ModuleName;

use crate::error::{CliError, Exit};
use crate::local::component::module_name;
use crate::local::input;

/// The targets for which cargo and cargo-component build components. Each has a directory with one for each profile.
const TARGETS: [&str; 2] = ["wasm32-wasip2", "wasm32-wasip1"];

/// The modules of a directory.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files to push, by the names of their modules.
    pub(super) modules: BTreeMap<ModuleName, PathBuf>,
    /// What to say of files that are left out.
    pub(super) notes: Vec<String>,
}

/// Finds `*.wasm` in the directory, or, where there are none, what cargo built for the package in it: in the target directory
/// `target`, or else in the usual one.
pub(super) fn find(dir: &Path, target: Option<OsString>) -> Result<Found, CliError> {
    let here = components(dir).map_err(|error| {
        CliError::new(Exit::NotFound, format_args!("reading directory {}: {error}", input::shown(dir)))
    })?;
    let mut found = Found::default();
    let files = if here.is_empty() { found.newest(built(dir, target)) } else { here };
    for file in files {
        found.add(file);
    }
    if found.modules.is_empty() {
        found.notes.push(format!(
            "no modules found in {} or the target directory of its package: build one with `cargo build --target {}`, \
             or push one with `wasmhost module push FILE`",
            input::shown(dir),
            TARGETS[0]
        ));
    }
    Ok(found)
}

impl Found {
    /// Takes the newest of all builds with the same file name.
    fn newest(&mut self, files: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut builds: BTreeMap<OsString, Vec<PathBuf>> = BTreeMap::new();
        for file in files {
            builds.entry(file.file_name().unwrap_or_default().to_owned()).or_default().push(file);
        }
        let mut taken = Vec::new();
        for mut builds in builds.into_values() {
            // The sort is stable: of two builds of the same age, the one in the first directory counts.
            builds.sort_by_key(|file| std::cmp::Reverse(built_at(file)));
            let newest = builds.remove(0);
            for other in builds {
                let newest = input::shown(&newest);
                let other = input::shown(&other);
                self.notes.push(format!("{newest} is newer than {other}, which is left out"));
            }
            taken.push(newest);
        }
        taken
    }

    fn add(&mut self, file: PathBuf) {
        let shown = input::shown(&file);
        match module_name(&file) {
            Ok(name) => match self.modules.get(&name) {
                Some(first) => self.notes.push(format!(
                    "warning: not pushed: {shown}: {} is module {name} already; name this one: \
                     `wasmhost module push {shown} --name NAME`",
                    input::shown(first)
                )),
                None => {
                    self.modules.insert(name, file);
                }
            },
            Err(error) => self.notes.push(format!(
                "warning: not pushed: {shown}: {error}; name it: `wasmhost module push {shown} --name NAME`"
            )),
        }
    }
}

/// The components that cargo built for the package in the directory, in whatever profile.
fn built(dir: &Path, target: Option<OsString>) -> Vec<PathBuf> {
    let Some(target) = target_directory(dir, target) else { return Vec::new() };
    let profiles = TARGETS.iter().flat_map(|name| directories(&target.join(name)));
    profiles.flat_map(|profile| components(&profile).unwrap_or_default()).collect()
}

/// The directory in which cargo builds the package: the one that is named, or `target` beside the manifest of the workspace,
/// which may be in a parent directory.
fn target_directory(dir: &Path, named: Option<OsString>) -> Option<PathBuf> {
    let dir = dir.canonicalize().ok()?;
    let mut packages = dir.ancestors().filter(|dir| dir.join("Cargo.toml").is_file()).peekable();
    // Without a package nothing says that the target directory has anything to do with the directory.
    packages.peek()?;
    match named.filter(|named| !named.is_empty()) {
        Some(named) => Some(dir.join(named)),
        None => packages.map(|package| package.join("target")).find(|target| target.is_dir()),
    }
}

fn directories(dir: &Path) -> Vec<PathBuf> {
    let entries = read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

fn components(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn built_at(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;

    /// A directory with these files, each a second younger than the one before.
    fn directory(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (age, file) in files.iter().enumerate() {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let built_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + age as u64);
            File::create(path).unwrap().set_modified(built_at).unwrap();
        }
        dir
    }

    /// The modules with their files, and the notes, by paths within the directory.
    fn found(dir: &Path, within: &str) -> (Vec<String>, Vec<String>) {
        let found = find(&dir.join(within), None).unwrap();
        let short = |text: String| text.replace(&format!("{}/", dir.canonicalize().unwrap().display()), "");
        let modules = found.modules.iter().map(|(name, file)| short(format!("{name} {}", file.display())));
        (modules.collect(), found.notes.into_iter().map(short).collect())
    }

    #[test]
    fn a_plain_build_is_found_and_of_two_builds_the_newer() {
        let dir = directory(&[
            "Cargo.toml",
            "target/wasm32-wasip2/release/a.wasm",
            "target/wasm32-wasip2/release/b.wasm",
            "target/wasm32-wasip2/debug/a.wasm",
            "target/wasm32-wasip2/debug/a.d",
            "target/wasm32-wasip2/debug/deps/c.wasm",
            "target/wasm32-wasip1/small/d.wasm",
        ]);
        let (modules, notes) = found(dir.path(), "");
        assert_eq!(
            modules,
            [
                "a target/wasm32-wasip2/debug/a.wasm",
                "b target/wasm32-wasip2/release/b.wasm",
                "d target/wasm32-wasip1/small/d.wasm"
            ]
        );
        let left_out = "target/wasm32-wasip2/debug/a.wasm is newer than target/wasm32-wasip2/release/a.wasm";
        assert!(notes.len() == 1 && notes[0].starts_with(left_out), "{notes:?}");
    }

    #[test]
    fn a_package_of_a_workspace_is_built_in_the_workspace() {
        let dir =
            directory(&["Cargo.toml", "member/Cargo.toml", "other/x", "target/wasm32-wasip2/debug/a.wasm"]);
        for within in ["member", "other"] {
            assert_eq!(found(dir.path(), within).0, ["a target/wasm32-wasip2/debug/a.wasm"], "{within}");
        }
        let alone = directory(&["here/x", "target/wasm32-wasip2/debug/a.wasm"]);
        let (modules, notes) = found(alone.path(), "here");
        assert!(modules.is_empty() && notes[0].contains("cargo build --target wasm32-wasip2"), "{notes:?}");
    }

    #[test]
    fn the_environment_may_name_the_target_directory() {
        let dir = directory(&["package/Cargo.toml", "package/target/wasm32-wasip2/debug/old.wasm"]);
        let elsewhere = directory(&["wasm32-wasip2/debug/a.wasm"]);
        let target = Some(elsewhere.path().as_os_str().to_owned());
        let found = find(&dir.path().join("package"), target.clone()).unwrap();
        assert_eq!(
            found.modules.into_values().collect::<Vec<_>>(),
            [elsewhere.path().join("wasm32-wasip2/debug/a.wasm")]
        );
        assert!(find(dir.path(), target).unwrap().modules.is_empty(), "no package is there");
    }

    #[test]
    fn files_in_the_directory_itself_go_before_builds() {
        let dir = directory(&["Cargo.toml", "target/wasm32-wasip2/debug/a.wasm", "own.wasm"]);
        assert_eq!(found(dir.path(), "").0, ["own own.wasm"]);
        assert_eq!(find(Path::new("/no/such/dir"), None).unwrap_err().exit, Exit::NotFound);
    }

    #[test]
    fn two_files_of_one_name_are_told() {
        let dir = directory(&[
            "my_task.wasm",
            "my-task.wasm",
            "My Task.component.wasm",
            "x.component.wasm",
            "_.wasm",
        ]);
        let (modules, notes) = found(dir.path(), "");
        assert_eq!(modules, ["my-task My Task.component.wasm", "x x.component.wasm"]);
        let told = |file: &str, why: &str| {
            notes.iter().any(|note| note.starts_with(&format!("warning: not pushed: {file}: {why}")))
        };
        for file in ["my_task.wasm", "my-task.wasm"] {
            assert!(told(file, "My Task.component.wasm is module my-task already"), "{notes:?}");
        }
        assert!(told("_.wasm", "module "), "{notes:?}");
    }
}
