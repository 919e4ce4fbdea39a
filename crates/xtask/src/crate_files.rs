//! The files of a crate as its module tree, without tests.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, bail};

use crate::{
    rust_text,
    tokens::{self, Token},
};

/// The path of a module: `["claim", "decide"]`, empty for the root.
pub(crate) type ModulePath = Vec<String>;

/// A file of a crate.
pub(crate) struct CrateFile {
    /// Its lines, without those of tests.
    pub(crate) lines: Vec<String>,
    /// Its code, without comments, contents of literals and tests.
    pub(crate) code: String,
}

impl CrateFile {
    /// The file with this text.
    pub(crate) fn new(text: &str) -> Self {
        let code = rust_text::code(text);
        let tests = rust_text::lines_of_tests(&code);
        let lines =
            text.lines().enumerate().filter(|(number, _)| !tests.iter().any(|test| test.contains(number)));
        Self {
            lines: lines.map(|(_, line)| line.to_owned()).collect(),
            code: rust_text::without_tests(&code),
        }
    }
}

/// Reads all files that the root of a crate declares, and those that they declare.
pub(crate) fn read(crate_directory: &Path) -> anyhow::Result<BTreeMap<ModulePath, CrateFile>> {
    let source = crate_directory.join("src");
    let Some(root) =
        ["lib.rs", "main.rs"].map(|name| source.join(name)).into_iter().find(|path| path.is_file())
    else {
        bail!("{} has neither src/lib.rs nor src/main.rs", crate_directory.display());
    };
    let mut files = BTreeMap::new();
    let mut wanted = vec![(ModulePath::new(), root)];
    while let Some((module, path)) = wanted.pop() {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let file = CrateFile::new(&text);
        for name in declared(&file.code) {
            let mut child = module.clone();
            child.push(name);
            // The name of the file follows from the module's path alone, because a lint forbids `mod.rs`.
            let path = child.iter().fold(source.clone(), |path, name| path.join(name)).with_extension("rs");
            wanted.push((child, path));
        }
        files.insert(module, file);
    }
    Ok(files)
}

/// The modules that stand in files of their own.
fn declared(code: &str) -> Vec<String> {
    let tokens: Vec<_> = tokens::of(code).collect();
    let names = tokens.windows(3).filter_map(|three| match three {
        [Token::Word("mod"), Token::Word(name), Token::Sign(';')] => Some((*name).to_owned()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn only_modules_with_files_of_their_own_are_declared() {
        let code = "mod a; pub(crate) mod b ; mod c { fn f() {} } #[expect(x)] pub mod d;";
        assert_eq!(declared(code), ["a", "b", "d"]);
    }
}
