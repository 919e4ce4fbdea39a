//! The component files of a directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::input;

/// Where cargo puts components, and cargo-component.
const BUILT: [&str; 2] = ["target/wasm32-wasip2/release", "target/wasm32-wasip1/release"];

/// `*.wasm` in the directory; where there are none, what cargo built in it. The first of two with the same name.
pub(super) fn find(dir: &Path) -> Result<Vec<PathBuf>, Complaint> {
    let here = components(dir).map_err(|error| {
        Complaint::new(Exit::NotFound, format_args!("reading directory {}: {error}", input::shown(dir)))
    })?;
    if !here.is_empty() {
        return Ok(here);
    }
    let built = BUILT.iter().flat_map(|place| components(&dir.join(place)).unwrap_or_default());
    let mut names = BTreeSet::new();
    Ok(built.filter(|path| names.insert(path.file_name().map(ToOwned::to_owned))).collect())
}

fn components(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in dir.read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn built_components_count_where_the_directory_has_none() {
        let dir = tempfile::tempdir().unwrap();
        for place in BUILT {
            fs::create_dir_all(dir.path().join(place)).unwrap();
        }
        let [cargo, component] = BUILT.map(|place| dir.path().join(place));
        for file in [cargo.join("b.wasm"), cargo.join("a.wasm"), cargo.join("a.d"), component.join("a.wasm")]
        {
            fs::write(file, "").unwrap();
        }
        assert_eq!(find(dir.path()).unwrap(), [cargo.join("a.wasm"), cargo.join("b.wasm")]);
        fs::write(dir.path().join("own.wasm"), "").unwrap();
        assert_eq!(find(dir.path()).unwrap(), [dir.path().join("own.wasm")]);
        assert_eq!(find(Path::new("/no/such/dir")).unwrap_err().exit, Exit::NotFound);
    }
}
