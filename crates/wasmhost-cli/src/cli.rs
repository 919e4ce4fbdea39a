//! The command line: the flags that all commands share, and the list of commands. The flags of a command are in its file.

mod misread;

use std::path::Path;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    audit, bench, completions, dev, guarded, hosts, jobs, module, result, revoke, run, serve, status, submit,
    watch, wit,
};
use crate::config::serve_file::ServeFile;
use crate::error::Exit;
use crate::globals::Global;
use crate::logging::DefaultLog;
use crate::output;

const EXIT_CODES: &str = "\
Exit codes: 0 ok, 1 the job failed or was revoked, 2 usage and refused arguments, 65 a file that is not what it should \
be, 66 not found, 69 NATS unreachable, 75 full, try later, 77 permission, 78 configuration, 130 interrupted.

Example: wasmhost dev          # then, in another terminal:
         wasmhost module push hello.wasm
         wasmhost submit hello.run '{\"name\": \"Ada\"}' --wait";

/// Background jobs as sandboxed WebAssembly components, on NATS
#[derive(Debug, Parser)]
#[command(name = "wasmhost", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line, the environment and, if `serve` names one, its configuration file. What cannot be read is
    /// reported, and the program ends with the exit code that is returned.
    pub(crate) fn read() -> Result<Self, Exit> {
        let mut cli = Self::parse_over(Self::definition())?;
        if let Some(path) = cli.command.config_file() {
            let file = ServeFile::read(path).map_err(|error| output::report(&error))?;
            // What the file says becomes the default of the flags, below the command line and the environment.
            cli = Self::parse_over(file.as_defaults(Self::definition()))?;
            if let Command::Serve(args) = &mut cli.command {
                args.settings.ceiling = file.ceiling;
            }
        }
        Ok(cli)
    }

    fn parse_over(mut definition: clap::Command) -> Result<Self, Exit> {
        let parsed = definition.try_get_matches_from_mut(std::env::args_os());
        // Unlike an error of the parser, one of `from_arg_matches` does not know the definition whose usage it shows.
        let cli = parsed.and_then(|matches| {
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
        });
        cli.map_err(|error| report(&error))
    }

    /// The definition for clap. A variable that is empty counts as unset, as it does for `nats`.
    fn definition() -> clap::Command {
        fn without_empty_variables(command: clap::Command) -> clap::Command {
            let is_empty =
                |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|text| text.is_empty());
            let command = command.mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg });
            command.mut_subcommands(without_empty_variables)
        }
        without_empty_variables(Self::command())
    }
}

/// Reports what clap refuses; what it prints for `--help` and `--version` is no error.
fn report(error: &clap::Error) -> Exit {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(cli_error) = misread::explain(error, &arguments, Cli::command()) {
        return output::report(&cli_error);
    }
    // A terminal that is closed does not change the exit code.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a task locally, without NATS
    Run(run::Args),
    /// Run everything locally: a private nats-server, a host, and the modules of a directory
    Dev(dev::Args),
    // In a box, since its many flags would make every command as large.
    /// Run a host: takes jobs from its queues and runs them
    Serve(Box<serve::Args>),
    /// Push, list and remove modules
    #[command(subcommand)]
    Module(module::Module),
    /// Submit a job
    Submit(Box<submit::Args>),
    /// Show where a job stands
    Status(status::Args),
    /// Follow a job, a line a transition
    Watch(watch::Args),
    /// Print the result of a job, waiting for it
    Result(result::Args),
    /// Ask that a job not run, or stop
    Revoke(revoke::Args),
    /// List jobs
    Jobs(jobs::Args),
    /// List the hosts that run
    Hosts(hosts::Args),
    /// Record what is seen of a run, and say whether it kept what is promised
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Measure jobs on this machine, and what the server could do without them
    Bench(bench::Args),
    /// Write the interfaces that a task may import, for the toolchain that builds it
    Wit(wit::Args),
    /// Print a script that completes commands and flags
    Completions(completions::Args),
    /// Compile the component on standard input
    #[command(hide = true)]
    CompileComponent,
    /// Become a program that ends with its parent
    #[command(hide = true)]
    Guarded(guarded::Args),
}

impl Command {
    /// What the command logs unless the user asks for more.
    pub(crate) fn default_log(&self) -> DefaultLog {
        if matches!(self, Self::Serve(_) | Self::Dev(_)) { DefaultLog::Host } else { DefaultLog::Nothing }
    }

    fn config_file(&self) -> Option<&Path> {
        if let Self::Serve(args) = self { args.config.as_deref() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_visible_command_shows_an_example() {
        fn check(command: &clap::Command) {
            let subcommands: Vec<_> =
                command.get_subcommands().filter(|command| !command.is_hide_set()).collect();
            if subcommands.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("wasmhost "), "{} has no example", command.get_name());
            }
            subcommands.into_iter().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn global_flags_go_before_and_after_the_command() {
        for line in ["wasmhost --nats nats://n:1 --json hosts", "wasmhost hosts --json --nats nats://n:1"] {
            let cli = parse(line).unwrap();
            assert_eq!(cli.global.connection.nats.as_deref(), Some("nats://n:1"));
            assert!(cli.global.json);
        }
    }

    #[test]
    fn names_are_parsed_at_the_edge() {
        for bad in [
            "wasmhost status nonsense",
            "wasmhost submit thumbs",
            "wasmhost submit a.b --queue UPPER",
            "wasmhost submit a.b --timeout 5",
            "wasmhost serve --queues a:b",
            "wasmhost --namespace a.b hosts",
            "wasmhost audit record",
            "wasmhost audit check",
            "wasmhost nonsense",
            "wasmhost",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for good in [
            "wasmhost status a.b.c",
            "wasmhost submit a.b - --wait",
            "wasmhost submit a.b [1] --id x",
            "wasmhost run f.wasm",
            "wasmhost run f.wasm resize @x",
            "wasmhost run f.wasm -",
            "wasmhost jobs --state SUCCESS --task thumbs",
            "wasmhost jobs --task thumbs.resize",
            "wasmhost serve --queues high:4,default --slots 8 --grace 5s",
            "wasmhost module rollback thumbs",
            "wasmhost audit record --out run.jsonl --idle 30s",
            "wasmhost audit check run.jsonl submits.jsonl --json",
        ] {
            parse(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
    }
}
