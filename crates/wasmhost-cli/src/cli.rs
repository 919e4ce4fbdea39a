//! The command line: what all commands share, and the list of them. Each command's own flags are in its file.

use std::path::PathBuf;

use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use wasmhost_protocol::names::Namespace;

use crate::commands::{
    audit, completions, dev, guarded, hosts, jobs, module, result, revoke, run, serve, status, submit, watch,
    wit,
};
use crate::connect::parse_url;

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
    /// Reads the command line and the environment.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = Self::without_empty_variables();
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// The command; a variable that is empty is as good as unset, as it is to `nats`.
    fn without_empty_variables() -> clap::Command {
        fn of(command: clap::Command) -> clap::Command {
            let is_empty =
                |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|text| text.is_empty());
            let command = command.mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg });
            command.mut_subcommands(of)
        }
        of(Self::command())
    }
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The NATS server, or several separated by commas [env: also NATS_URL] [default: nats://127.0.0.1:4222]
    #[arg(long = "nats", value_name = "URL", env = "WASMHOST_NATS", value_parser = parse_url, alias = "server", global = true, help_heading = "NATS")]
    pub(crate) nats: Option<String>,
    /// The prefix of all names on the server [default: wasmhost]
    #[arg(long, value_name = "NAME", env = "WASMHOST_NAMESPACE", global = true, help_heading = "NATS")]
    pub(crate) namespace: Option<Namespace>,
    /// A context of the `nats` command line: its name or its file; flags and variables overrule what it says
    #[arg(long, value_name = "NAME", env = "NATS_CONTEXT", global = true, help_heading = "NATS")]
    pub(crate) context: Option<String>,
    /// A file with a JWT and its key
    #[arg(long, value_name = "FILE", env = "NATS_CREDS", global = true, help_heading = "NATS")]
    pub(crate) creds: Option<PathBuf>,
    /// A file with the seed of an nkey
    #[arg(long, value_name = "FILE", env = "NATS_NKEY", global = true, help_heading = "NATS")]
    pub(crate) nkey: Option<PathBuf>,
    /// The JWT of a user, or where it is: file://PATH or env://NAME; with --seed
    #[arg(long, env = "NATS_JWT", hide_env_values = true, global = true, help_heading = "NATS")]
    pub(crate) jwt: Option<String>,
    /// The seed of the JWT's key, or where it is
    #[arg(long, env = "NATS_SEED", hide_env_values = true, global = true, help_heading = "NATS")]
    pub(crate) seed: Option<String>,
    /// A token, or where it is
    #[arg(long, env = "NATS_TOKEN", hide_env_values = true, global = true, help_heading = "NATS")]
    pub(crate) token: Option<String>,
    /// A user, with --password; alone it is a token
    #[arg(long, env = "NATS_USER", global = true, help_heading = "NATS")]
    pub(crate) user: Option<String>,
    /// The user's password, or where it is
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true, global = true, help_heading = "NATS")]
    pub(crate) password: Option<String>,
    /// Certificates of authorities to trust, beside the system's; a server without TLS is refused then
    #[arg(long, value_name = "FILE", env = "NATS_CA", alias = "tlsca", global = true, help_heading = "NATS")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// The client's certificate; with --tls-key
    #[arg(
        long,
        value_name = "FILE",
        env = "NATS_CERT",
        alias = "tlscert",
        global = true,
        help_heading = "NATS"
    )]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the client's certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "NATS_KEY",
        alias = "tlskey",
        global = true,
        help_heading = "NATS"
    )]
    pub(crate) tls_key: Option<PathBuf>,
    /// Encrypt before the server's first word, which waits for it
    #[arg(long, alias = "tlsfirst", global = true, help_heading = "NATS")]
    pub(crate) tls_first: bool,
    /// Print JSON, for programs
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Log more; twice: everything [env: WASMHOST_LOG, as RUST_LOG]
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output")]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a task locally, without NATS
    Run(run::Args),
    /// Run everything locally: a private nats-server, a host, and the modules of a directory
    Dev(dev::Args),
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
            assert_eq!(cli.global.nats.as_deref(), Some("nats://n:1"));
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
