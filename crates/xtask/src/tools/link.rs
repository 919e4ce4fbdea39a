//! Links to installed programs, in one directory for all.

use std::{fs, os::unix::fs::symlink, path::Path};

use anyhow::Context;

/// Links a program into `bin`, in place of an older link. `target` is relative to `bin`, so that the repository may move.
pub(super) fn link(bin: &Path, program: &str, target: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(bin).with_context(|| format!("creating {}", bin.display()))?;
    let link = bin.join(program);
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).with_context(|| format!("removing the old link to {program}"))?;
    }
    symlink(target, &link).with_context(|| format!("linking {program} into {}", bin.display()))
}
