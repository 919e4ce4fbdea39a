//! Running other programs, with errors that name the whole command.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{repository::Repository, say::say};

/// Cargo, in the repository's root. What the cargo that started this program says of it is left out: build scripts that
/// look at it would run again, and their dependents be compiled again.
pub(crate) fn cargo(repository: &Repository) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&repository.root);
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The same, for [`Step::call`](crate::steps::Step::call): it says how far it is, though it writes to no terminal.
pub(crate) fn cargo_with_bar(repository: &Repository) -> Command {
    // Whatever the user has set, the bar is written, and in the form that `cargo_line` recognises.
    let mut cargo = cargo(repository);
    cargo
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "80")
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("CARGO_TERM_QUIET")
        .env_remove("CARGO_TERM_VERBOSE");
    cargo
}

/// Prints the command, runs it with this program's own input and output, and fails where it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    say(format_args!("$ {line}"));
    let status = command.status().with_context(|| format!("running `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// A program on the search path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let search_path = env::var_os("PATH")?;
    let name = Path::new(name).with_extension(env::consts::EXE_EXTENSION);
    env::split_paths(&search_path).map(|dir| dir.join(&name)).find(|path| path.is_file())
}

/// The command for people: the program's file name and its arguments.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> =
        std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}
