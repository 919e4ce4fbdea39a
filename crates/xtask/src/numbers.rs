//! The house's numbers: how long files and functions are, and how much of them explains; and the one limit that clippy
//! does not keep, that of a file's length.

mod functions;
mod spread;

use std::fs;

use anyhow::{Context, bail};

use crate::{
    crate_files::{self, CrateFile},
    repository::Repository,
    repository_files,
    say::say,
    steps::{Ended, Step},
};

use spread::Spread;

/// A file with more lines is two files.
const MAX_LINES: usize = 400;

/// Prints the numbers of every crate, without its tests.
pub(crate) fn print(repository: &Repository) -> anyhow::Result<()> {
    say("crate              files  lines of a file     lines of a function  docs    comments");
    say("                          (median/p90/most)   (median/p90/most)");
    for directory in repository.crates()? {
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files: Vec<_> = crate_files::read(&directory)?.into_values().collect();
        let numbers = Numbers::of(&files);
        say(format_args!(
            "{name:<18} {:>5}  {:<18}  {:<19}  {:>4.1} %  {:>4.1} %",
            files.len(),
            numbers.files.to_string(),
            numbers.functions.to_string(),
            numbers.docs,
            numbers.comments
        ));
    }
    Ok(())
}

/// Fails with every file that is too long, those of tests included.
pub(crate) fn check(repository: &Repository, _: &Step<'_>) -> Ended<()> {
    let mut too_long = Vec::new();
    let mut count = 0;
    for file in repository_files::list(&repository.root)?.iter().filter(|file| file.ends_with(".rs")) {
        let text =
            fs::read_to_string(repository.root.join(file)).with_context(|| format!("reading {file}"))?;
        let lines = text.lines().count();
        count += 1;
        if lines > MAX_LINES {
            too_long.push(format!("{file}: {lines} lines"));
        }
    }
    if !too_long.is_empty() {
        bail!("files over {MAX_LINES} lines; fix: make two of each\n{}", too_long.join("\n"));
    }
    Ok(((), format!("no file of {count} has over {MAX_LINES} lines")))
}

struct Numbers {
    files: Spread,
    functions: Spread,
    /// Percent of all lines.
    docs: f64,
    /// Percent of all lines.
    comments: f64,
}

impl Numbers {
    fn of(files: &[CrateFile]) -> Self {
        let mut lines = Vec::new();
        let mut functions = Vec::new();
        let mut docs = 0;
        let mut comments = 0;
        for file in files {
            let begins =
                |mark: &str| file.lines.iter().filter(|line| line.trim_start().starts_with(mark)).count();
            let docs_of_file = begins("///") + begins("//!");
            lines.push(file.lines.len());
            functions.extend(functions::lengths(&file.code));
            docs += docs_of_file;
            // What marks a doc comment begins with the mark of every comment.
            comments += begins("//") - docs_of_file;
        }
        let all: usize = lines.iter().sum();
        let percent = |part: usize| 100.0 * part as f64 / all.max(1) as f64;
        Self {
            docs: percent(docs),
            comments: percent(comments),
            files: Spread::of(lines),
            functions: Spread::of(functions),
        }
    }
}
