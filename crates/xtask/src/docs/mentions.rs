//! Files that documents name without a link, such as `claim/decide.rs`.

use std::path::Path;

/// What a name of a file of ours ends in; files with other names may be the reader's.
const OURS: [&str; 3] = [".rs", ".wit", ".md"];

/// What no commit has, as a program writes it.
const WRITTEN: [&str; 2] = [".tools/", "src/bindings.rs"];

/// The files that can be named.
pub(super) struct Mentions<'a> {
    files: &'a [String],
}

impl<'a> Mentions<'a> {
    pub(super) fn new(files: &'a [String]) -> Self {
        Self { files }
    }

    /// What is wrong with a code span that names a file or, with a `/` at its end, a directory; none where it names
    /// nothing or what exists. A name may leave out the directories that lead to the file.
    pub(super) fn complaint(&self, span: &str) -> Option<String> {
        let is_path = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let is_directory = span.ends_with('/') && span.len() > 1;
        // An ending alone, such as `.rs`, names no file.
        let is_file = OURS.iter().any(|ending| span.len() > ending.len() && span.ends_with(ending));
        if !is_path || !(is_file || is_directory) || WRITTEN.contains(&span) {
            return None;
        }
        // `Path::ends_with` compares whole names: `ecide.rs` is not the end of `claim/decide.rs`.
        let exists = self
            .files
            .iter()
            .any(|file| file.ends_with('/') == is_directory && Path::new(file).ends_with(Path::new(span)));
        (!exists).then(|| format!("`{span}` is named, but does not exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::Mentions;

    #[test]
    fn what_looks_like_a_path_has_to_exist() {
        let files =
            ["crates/a/src/claim/decide.rs", "crates/a/src/claim/", "wit/task.wit"].map(ToOwned::to_owned);
        let mentions = Mentions::new(&files);
        for good in
            ["claim/decide.rs", "decide.rs", "claim/", "task.wit", "a.b.c", "/", ".rs", "x.wasm", "a::b.rs"]
        {
            assert_eq!(mentions.complaint(good), None, "{good}");
        }
        for wrong in ["claim/other.rs", "ecide.rs", "decide/", "docs/README.md"] {
            assert_eq!(mentions.complaint(wrong), Some(format!("`{wrong}` is named, but does not exist")));
        }
    }
}
