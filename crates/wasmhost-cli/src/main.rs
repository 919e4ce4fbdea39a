//! The `wasmhost` command: reads flags, files and the environment, and calls the crates that do the work.
//!
//! Read `cli` for the list of commands, and a file of `commands` for each of them. What they share is in `config` (what
//! flags and files say), `local` (work on this machine), `output` (what is printed) and `error` (exit codes).

mod cli;
mod globals;

mod commands;

mod config;
mod error;
mod local;
mod logging;
mod output;

use std::process::ExitCode;

use clap::CommandFactory;

use cli::{Cli, Command};
use commands::{
    audit, bench, completions, dev, guarded, hosts, jobs, module, result, revoke, run, serve, status, submit,
    watch, wit,
};
use error::CliError;
use local::runtime;

fn main() -> ExitCode {
    // Only builds for tests have faults, which variables arm before anything runs.
    wasmhost_nats::fault::arm();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    logging::start(cli.command.default_log(), cli.global.verbose);
    match run_command(cli) {
        Ok(exit) => exit,
        Err(cli_error) => output::report(&cli_error).into(),
    }
}

fn run_command(cli: Cli) -> Result<ExitCode, CliError> {
    let Cli { global, command } = cli;
    let exit = match command {
        Command::Run(args) => runtime::sandbox(run::run(args)),
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
        Command::Bench(args) => runtime::client(bench::run(args, &global)),
        Command::Wit(args) => wit::run(&args, &global),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        // Its exit codes are for the process that compiles a component in it, and none of the list.
        Command::CompileComponent => return Ok(wasmhost_sandbox::compile_child_main()),
        Command::Guarded(args) => guarded::run(&args),
    };
    exit.map(ExitCode::from)
}
