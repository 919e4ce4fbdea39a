//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod dev;
pub(crate) mod guarded;
pub(crate) mod hosts;
pub(crate) mod jobs;
pub(crate) mod module;
pub(crate) mod result;
pub(crate) mod revoke;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod watch;
pub(crate) mod wit;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::error::CliError;
use crate::runtime;

/// Runs the command.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let Cli { global, command } = cli;
    let exit = match command {
        Command::Run(args) => runtime::sandbox(run::run(args, &global)),
        Command::Dev(args) => dev::run(args, &global),
        Command::Serve(args) => serve::run(*args, &global),
        Command::Module(module) => runtime::sandbox(module::run(module, &global)),
        Command::Submit(args) => runtime::client(submit::run(*args, &global)),
        Command::Status(args) => runtime::client(status::run(args, &global)),
        Command::Watch(args) => runtime::client(watch::run(args, &global)),
        Command::Result(args) => runtime::client(result::run(args, &global)),
        Command::Revoke(args) => runtime::client(revoke::run(args, &global)),
        Command::Jobs(args) => runtime::client(jobs::run(args, &global)),
        Command::Hosts(args) => runtime::client(hosts::run(args, &global)),
        Command::Audit(audit) => audit::run(audit, &global),
        Command::Wit(args) => wit::run(&args, &global),
        Command::Completions(args) => completions::run(&args),
        Command::CompileComponent => return Ok(wasmhost_sandbox::compile_child_main()),
        Command::Guarded(args) => guarded::run(&args),
    };
    exit.map(ExitCode::from)
}
