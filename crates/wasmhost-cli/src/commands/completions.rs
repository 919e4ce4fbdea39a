//! `wasmhost completions`: prints a script for a shell.

use std::io::{self, Write};

use clap::Command;
use clap_complete::Shell;

use crate::error::{CliError, Exit};

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: wasmhost completions bash > ~/.local/share/bash-completion/completions/wasmhost"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script that completes the commands and flags of `program`.
pub(crate) fn run(args: &Args, mut program: Command) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "wasmhost", &mut script);
    // A reader that closes the pipe has what it wants.
    let _ = io::stdout().lock().write_all(&script);
    Ok(Exit::Ok)
}
