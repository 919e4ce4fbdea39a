//! Values that the command line refuses, told with where they came from: clap names the flag alone, whether the value was
//! given by it or by its variable, and repeats a password that an address has.

use std::env;
use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};
use wasmhost_protocol::text::escape;

use crate::cli::Cli;
use crate::config::connection::without_passwords;
use crate::error::CliError;
use crate::error::Exit;

/// The same as `error`, where it is about a value from the environment or an address; none: clap says it well.
pub(crate) fn cli_error(error: &clap::Error) -> Option<CliError> {
    let arguments: Vec<_> = env::args_os().collect();
    explain(error, &arguments)
}

fn explain(error: &clap::Error, arguments: &[OsString]) -> Option<CliError> {
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let shown = text(error, ContextKind::InvalidArg)?;
    let mut command = Cli::command();
    command.build();
    let arg = find(&command, &shown)?;
    let flag = format!("--{}", arg.get_long()?);
    let names: Vec<_> = arg.get_long().into_iter().chain(aliases(arg)).collect();
    let given = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        let name =
            argument.strip_prefix("--").map(|flag| flag.split_once('=').map_or(flag, |(name, _)| name));
        name.is_some_and(|name| names.contains(&name))
    };
    let why = why(error);
    if arguments.iter().any(given) {
        return (arg.get_id() == "nats").then(|| CliError::usage(format_args!("{flag}: {why}")));
    }
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    Some(CliError::new(Exit::Config, format_args!("{variable}: {why}; it stands for {flag}")))
}

/// What is wrong with the value, which an address may have a password in.
fn why(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return without_passwords(&source.to_string());
    }
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let value = escape(&without_passwords(&value));
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) => format!("`{value}` is none of {}", valid.join(", ")),
        _ => format!("`{value}` is no value for it"),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn aliases(arg: &Arg) -> impl Iterator<Item = &str> {
    arg.get_all_aliases().into_iter().flatten()
}

/// The argument that clap shows so, of whichever command.
fn find<'a>(command: &'a Command, shown: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|arg| arg.to_string() == shown);
    own.or_else(|| command.get_subcommands().find_map(|command| find(command, shown)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn told(line: &str) -> Option<CliError> {
        let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
        explain(&Cli::try_parse_from(&arguments).unwrap_err(), &arguments)
    }

    /// As if the flag's value had come from its variable.
    fn from_variable(line: &str) -> CliError {
        let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
        explain(&Cli::try_parse_from(arguments).unwrap_err(), &[]).unwrap()
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
        assert!(told("wasmhost serve --slots many").is_none());
        assert!(told("wasmhost nonsense").is_none());
        assert_eq!(told("wasmhost jobs --server http://n").unwrap().exit, Exit::Usage);
        let cli_error = told("wasmhost jobs --nats=nats://ada:secret@n:99999").unwrap();
        assert_eq!(cli_error.exit, Exit::Usage);
        assert!(cli_error.text.starts_with("--nats: `nats://n:99999`"), "{}", cli_error.text);
        assert!(!cli_error.text.contains("secret"), "{}", cli_error.text);
    }
}
