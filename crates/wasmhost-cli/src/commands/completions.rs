//! `wasmhost completions`: a script for a shell.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CliError;
use crate::error::Exit;

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: wasmhost completions bash > ~/.local/share/bash-completion/completions/wasmhost"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wasmhost", &mut script);
    // A reader that needs no more of it has what it wants.
    let _ = io::stdout().lock().write_all(&script);
    Ok(Exit::Ok)
}
