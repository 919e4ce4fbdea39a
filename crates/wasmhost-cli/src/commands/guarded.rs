//! `wasmhost guarded PROGRAM …`, hidden: becomes the program, which the system kills as soon as its parent is gone.
//! `wasmhost dev` runs its server like this, and leaves none behind even when it is killed itself.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::error::{CliError, Exit};

/// Flags of `guarded`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The process without which the program must not run.
    #[arg(long)]
    parent: i32,
    /// The program, and its arguments.
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Becomes the program.
pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    end_with_parent()?;
    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    if parent != args.parent {
        // The parent ended before the system was asked to watch it.
        return Err(CliError::silent(Exit::Interrupted));
    }
    // Ctrl-C goes to the whole process group of the terminal, and only the parent is to end this program.
    if let Err(error) = rustix::process::setpgid(None, None) {
        return Err(CliError::new(Exit::Config, format_args!("leaving the process group: {error}")));
    }
    let error = Command::new(&args.command[0]).args(&args.command[1..]).exec();
    Err(CliError::new(Exit::NotFound, format_args!("running {}: {error}", args.command[0].display())))
}

#[cfg(target_os = "linux")]
fn end_with_parent() -> Result<(), CliError> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| CliError::new(Exit::Config, format_args!("asking to end with the parent: {error}")))
}

/// Other systems cannot be asked for this. A parent that is not killed stops the program itself.
#[cfg(not(target_os = "linux"))]
fn end_with_parent() -> Result<(), CliError> {
    Ok(())
}
