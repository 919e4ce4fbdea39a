//! The files that belong to the repository, without what was built or installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Directories that no commit has.
const NOT_OURS: [&str; 4] = [".git", ".tools", ".wasmhost", "target"];

/// The path of every file, and of every directory with a `/` at its end, from the root and in order. What a symbolic
/// link of a directory leads to is found where it is.
pub(crate) fn list(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut wanted = vec![PathBuf::new()];
    while let Some(directory) = wanted.pop() {
        let whole = root.join(&directory);
        let reading = || format!("reading {}", whole.display());
        for entry in fs::read_dir(&whole).with_context(reading)? {
            let entry = entry.with_context(reading)?;
            let name = entry.file_name();
            let path = directory.join(&name);
            let shown = path.to_string_lossy().into_owned();
            if !entry.path().is_dir() {
                found.push(shown);
            } else if !NOT_OURS.iter().any(|other| name == *other) {
                found.push(format!("{shown}/"));
                if !entry.file_type().with_context(reading)?.is_symlink() {
                    wanted.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}
