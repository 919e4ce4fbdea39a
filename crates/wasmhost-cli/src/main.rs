//! The `wasmhost` command: reads flags, files and the environment, and calls the crates that do the work. One file a
//! command in `commands/`; everything else here is what they share.

mod cli;
mod commands;
mod config;
mod error;
mod local;
mod logging;
mod output;

use std::process::ExitCode;

use cli::Cli;
use cli::misread;
use error::Exit;

fn main() -> ExitCode {
    wasmhost_nats::fault::arm();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(cli_error) = misread::cli_error(&error) {
                cli_error.print();
                return cli_error.exit.into();
            }
            // A closed terminal is no reason for another exit code.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    logging::start(&cli.command, cli.global.verbose);
    match commands::run(cli) {
        Ok(code) => code,
        Err(cli_error) => {
            cli_error.print();
            cli_error.exit.into()
        }
    }
}
