//! `wasmhost wit`: the interfaces that a task may import, as a file for the toolchain that builds the task.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::input;
use crate::output;

/// The WIT package that hosts of this version provide.
const PACKAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/wit/task.wit"));

/// Where WIT tools look for the packages that a world names, below the directory of that world.
const PLACE: &str = "deps/wasmhost-task/task.wit";

/// Flags of `wit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes the package wasmhost:task to DIR/deps/wasmhost-task/task.wit, and replaces the file that is there. A task in Rust \
needs it only where its own WIT names a type of that package.

Example: wasmhost wit          # for a world in wit/world.wit")]
pub(crate) struct Args {
    /// The directory of the task's own WIT
    #[arg(default_value = "wit")]
    dir: PathBuf,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written<'a> {
    package: &'a str,
    file: &'a str,
}

/// Writes the package, and prints its name and its file.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Exit, CliError> {
    let file = args.dir.join(PLACE);
    write(&file).map_err(|error| failed(&file, &error))?;
    let file = input::shown(&file);
    let written = Written { package: package_name(), file: &file };
    if global.json {
        output::json(&written)?;
    } else {
        output::line(format_args!("{} {}", written.package, written.file))?;
    }
    Ok(Exit::Ok)
}

fn write(file: &Path) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, PACKAGE)
}

/// The package's name and version, as its own first line of WIT says them.
fn package_name() -> &'static str {
    let line = PACKAGE.lines().find_map(|line| line.strip_prefix("package "));
    line.map_or("wasmhost:task", |name| name.trim_end_matches(';'))
}

fn failed(file: &Path, error: &io::Error) -> CliError {
    let exit = if error.kind() == io::ErrorKind::PermissionDenied { Exit::Denied } else { Exit::Config };
    CliError::new(exit, format_args!("writing {}: {error}", input::shown(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_written_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("wit").join(PLACE);
        write(&file).unwrap();
        fs::write(&file, "package wasmhost:task@0.0.1;").unwrap();
        write(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), PACKAGE);
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("deps"), "").unwrap();
        let file = dir.path().join(PLACE);
        let cli_error = write(&file).map_err(|error| failed(&file, &error)).unwrap_err();
        assert_eq!(cli_error.exit, Exit::Config);
        assert!(cli_error.text.contains(PLACE), "{}", cli_error.text);
    }

    #[test]
    fn the_package_says_its_version() {
        assert_eq!(package_name(), "wasmhost:task@0.1.0");
    }
}
