//! Values that the command line refuses, reported with where they came from: clap names the flag, whether the value was
//! given by it or by its variable, and repeats a password that an address has.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, Command};

use crate::error::refused_value::{context, refused_value};
use crate::error::{CliError, Exit};

/// What to report instead of clap's own message, where its error is about a value from the environment or about an address.
/// `arguments` are the words of the command line, and `program` is its definition.
pub(super) fn explain(error: &clap::Error, arguments: &[OsString], mut program: Command) -> Option<CliError> {
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let shown = context(error, ContextKind::InvalidArg)?;
    // Only a definition that is built knows the global flags of each command.
    program.build();
    let arg = find(&program, &shown)?;
    let flag = format!("--{}", arg.get_long()?);
    let names: Vec<_> = arg.get_long().into_iter().chain(aliases(arg)).collect();
    let why = refused_value(error);
    // A flag overrules its variable, so that the value is the flag's wherever the flag is given.
    if arguments.iter().any(|argument| is_flag(argument, &names)) {
        return (arg.get_id() == "nats").then(|| CliError::usage(format_args!("{flag}: {why}")));
    }
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    Some(CliError::new(Exit::Config, format_args!("{variable}: {why}; it stands for {flag}")))
}

/// Whether an argument is `--NAME` or `--NAME=VALUE` with one of these names.
fn is_flag(argument: &OsString, names: &[&str]) -> bool {
    let argument = argument.to_string_lossy();
    let flag = argument.strip_prefix("--").map(|flag| flag.split_once('=').map_or(flag, |(name, _)| name));
    flag.is_some_and(|flag| names.contains(&flag))
}

fn aliases(arg: &Arg) -> impl Iterator<Item = &str> {
    arg.get_all_aliases().into_iter().flatten()
}

/// Finds the argument, of whichever command, that clap shows like this.
fn find<'a>(command: &'a Command, shown: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|arg| arg.to_string() == shown);
    own.or_else(|| command.get_subcommands().find_map(|command| find(command, shown)))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Cli;

    fn error_of(line: &str) -> Option<CliError> {
        let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
        explain(&Cli::try_parse_from(&arguments).unwrap_err(), &arguments, Cli::command())
    }

    /// The error as if the flag's value had come from its variable.
    fn from_variable(line: &str) -> CliError {
        let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
        explain(&Cli::try_parse_from(arguments).unwrap_err(), &[], Cli::command()).unwrap()
    }

    #[test]
    fn a_value_from_the_environment_is_told_with_its_variable() {
        let cli_error = from_variable("wasmhost serve --slots many");
        assert_eq!(cli_error.exit, Exit::Config);
        let text = "WASMHOST_SLOTS: `many` is not a number from 1 to 10000; it stands for --slots";
        assert_eq!(cli_error.text, text);
        let cli_error = from_variable("wasmhost serve --trust-submitters maybe");
        assert!(
            cli_error.text.starts_with("WASMHOST_TRUST_SUBMITTERS: `maybe` is none of true, false"),
            "{}",
            cli_error.text
        );
        assert!(from_variable("wasmhost jobs --namespace a.b").text.starts_with("WASMHOST_NAMESPACE: "));
    }

    #[test]
    fn a_flags_value_is_left_to_clap_but_for_an_address() {
        assert!(error_of("wasmhost serve --slots many").is_none());
        assert!(error_of("wasmhost nonsense").is_none());
        assert_eq!(error_of("wasmhost jobs --server http://n").unwrap().exit, Exit::Usage);
        let cli_error = error_of("wasmhost jobs --nats=nats://ada:secret@n:99999").unwrap();
        assert_eq!(cli_error.exit, Exit::Usage);
        assert!(cli_error.text.starts_with("--nats: `nats://n:99999`"), "{}", cli_error.text);
        assert!(!cli_error.text.contains("secret"), "{}", cli_error.text);
    }
}
