//! The `wasmhost` command: reads flags, files and the environment, and calls the crates that do the work. One file a
//! command in `commands/`; everything else here is what they share.

mod cli;
mod commands;
mod component;
mod connect;
mod context;
mod error;
mod error_mapping;
mod exit;
mod flag_values;
mod input;
mod logging;
mod misread;
mod nearest;
mod output;
mod progress;
mod render;
mod runtime;
mod secret;
mod table;
mod toml_file;

use std::process::ExitCode;

use cli::Cli;
use exit::Exit;

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
