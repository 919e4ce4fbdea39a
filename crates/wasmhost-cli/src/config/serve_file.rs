//! The configuration file of `serve`. Its keys are the names of the flags, and its values become the flags' defaults, so that
//! a flag or a variable overrules it. Everything that is wrong with a file is reported at once.

use std::path::Path;

use clap::{Arg, ArgAction, Args, Command, Id};
use wasmhost_protocol::policy::Ceiling;

use super::ceilings;
use super::connection::{ConnectionFlags, url_of_environment};
use super::settings::Settings;
use super::toml_reader::TomlReader;
use crate::error::refused_value::refused_value;
use crate::error::{CliError, Exit};

/// The key of the one setting that has no flag.
const CEILING: &str = "ceiling";

/// What a configuration file says.
pub(crate) struct ServeFile {
    /// The values of flags, each one that its flag takes.
    values: Vec<(Id, String)>,
    /// The ceilings, where the file sets any.
    pub(crate) ceiling: Option<Ceiling>,
}

impl ServeFile {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or else all unknown keys and all values that are refused, each with its line.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let mut reader = TomlReader::open(path).map_err(as_configuration)?;
        let flags = flags();
        let known: Vec<_> = flags.iter().filter_map(Arg::get_long).chain([CEILING]).collect();
        reader.refuse_unknown("", &reader.table.clone(), &known);
        let mut values: Vec<_> = flags.iter().filter_map(|flag| value_of(flag, &mut reader)).collect();
        let ceiling = ceilings::read(&mut reader);
        if !reader.problems.is_empty() {
            return Err(CliError::all(Exit::Config, &reader.problems));
        }
        // `NATS_URL` overrules the file too, which clap cannot know.
        if url_of_environment().is_some() {
            values.retain(|(flag, _)| flag != "nats");
        }
        Ok(Self { values, ceiling })
    }

    /// The command line of the program, in which the flags of `serve` have the file's values as defaults.
    pub(crate) fn as_defaults(&self, program: Command) -> Command {
        let with_default = |flag: Arg| match self.values.iter().find(|(id, _)| id == flag.get_id()) {
            Some((_, value)) => flag.default_value(value.clone()),
            None => flag,
        };
        // The flags of the connection are the program's, and those of the host the command's.
        program.mut_args(with_default).mut_subcommand("serve", |serve| serve.mut_args(with_default))
    }
}

/// Whatever is wrong with the file is wrong with the configuration, unless there is no such file.
fn as_configuration(cli_error: CliError) -> CliError {
    match cli_error.exit {
        Exit::NotFound => cli_error,
        _ => CliError::new(Exit::Config, cli_error.text),
    }
}

/// The flags whose names may be keys of the file.
fn flags() -> Vec<Arg> {
    let command = ConnectionFlags::augment_args(Settings::augment_args(Command::new("serve")));
    command.get_arguments().cloned().collect()
}

/// The value of a flag in the file, if there is one that the flag takes.
fn value_of(flag: &Arg, reader: &mut TomlReader) -> Option<(Id, String)> {
    let key = flag.get_long()?;
    let value = reader.table.get(key)?.clone();
    let text = reader.read(key, &value, |text| check(flag, key, text))?;
    Some((flag.get_id().clone(), text))
}

/// Has clap parse the flag alone with this value. As a default, a value that is refused would end the program.
fn check(flag: &Arg, key: &str, text: &str) -> Result<String, String> {
    // `--tls-first` takes no value on the command line, but its key has one.
    let flag = flag.clone().action(ArgAction::Set).num_args(1);
    let alone = Command::new("serve").no_binary_name(true).arg(flag);
    match alone.try_get_matches_from([format!("--{key}={text}")]) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(refused_value(&error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::{CommandFactory, FromArgMatches};
    use wasmhost_host::MemoryBudget;

    use super::*;
    use crate::cli::Cli;

    /// A command line over a file with this text.
    fn read_text(text: &str, line: &str) -> Result<(Settings, ConnectionFlags), CliError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let file = ServeFile::read(file.path())?;
        let matches = file.as_defaults(Cli::command()).try_get_matches_from(line.split(' ')).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        let mut settings = Settings::from_arg_matches(serve).unwrap();
        settings.ceiling = file.ceiling;
        Ok((settings, ConnectionFlags::from_arg_matches(&matches).unwrap()))
    }

    fn refused(text: &str) -> CliError {
        read_text(text, "wasmhost serve").expect_err("it is refused")
    }

    #[test]
    fn flags_overrule_the_file() {
        let text =
            "nats = \"nats://file:1\"\nuser = \"ada\"\nslots = 3\ngrace = \"5s\"\nmemory-limit = \"1G\"\n";
        let (settings, flags) = read_text(text, "wasmhost serve --slots 7 --nats nats://flag:1").unwrap();
        let config = settings.host_config().unwrap();
        assert_eq!(
            (config.slots, config.grace, config.ceiling.memory_bytes),
            (7, Duration::from_secs(5), 1 << 30)
        );
        assert_eq!((flags.nats.as_deref(), flags.user.as_deref()), (Some("nats://flag:1"), Some("ada")));
    }

    #[test]
    fn all_problems_of_a_file_are_listed_together() {
        let cli_error = refused("qeues = \"a\"\nslots = \"many\"\ngrace = 5\nqueues = [\"a\"]\n");
        assert_eq!(cli_error.exit, Exit::Config);
        assert_eq!(cli_error.text.lines().count(), 4, "{}", cli_error.text);
        assert!(
            cli_error.text.contains(":1: unknown key `qeues`; did you mean `queues`?"),
            "{}",
            cli_error.text
        );
        assert!(cli_error.text.contains(":3: `grace`: duration `5`"), "{}", cli_error.text);
    }

    #[test]
    fn ceilings_are_read_over_what_is_usual() {
        let text = "memory = \"150%\"\nmodules-memory = \"2G\"\n[ceiling.limits]\ntimeout = \"7d\"\nmemory = \"1G\"\n\
             updates-per-second = 500\n[ceiling.retry]\nmax-attempts = 5000\nfactor = 2.5\n";
        let (settings, _) = read_text(text, "wasmhost serve").unwrap();
        let config = settings.host_config().unwrap();
        let usual = Ceiling::default();
        let wanted = Ceiling {
            timeout: Duration::from_secs(7 * 24 * 3600),
            memory_bytes: 1 << 30,
            updates_per_second: 500,
            max_attempts: 5000,
            factor: 2.5,
            ..usual
        };
        assert_eq!(config.ceiling, wanted);
        assert_eq!((config.memory, config.modules_bytes), (MemoryBudget::Percent(150), 2 << 30));
        let (settings, _) = read_text(text, "wasmhost serve --memory-limit 64M --memory 2G").unwrap();
        let config = settings.host_config().unwrap();
        assert_eq!(config.ceiling, Ceiling { memory_bytes: 64 << 20, ..wanted });
        assert_eq!(config.memory, MemoryBudget::Bytes(2 << 30));
    }

    #[test]
    fn whatever_is_wrong_with_ceilings_is_told_with_its_line() {
        let text = "memory-limit = \"1G\"\n[ceiling]\nlimit = 1\n[ceiling.limits]\nmemroy = \"1G\"\n\
             memory = \"1G\"\nmeta = \"1M\"\ncpu = true\n[ceiling.retry]\nmax-attempts = 0\n";
        let told = refused(text).text;
        for problem in [
            ":3: unknown key `ceiling.limit`; did you mean `limits`?",
            ":5: unknown key `ceiling.limits.memroy`; did you mean `memory`?",
            ":7: `ceiling.limits.meta`: size `1M` is not from 2 B to 256.0 KiB",
            ":8: `ceiling.limits.cpu`: duration `true`",
            ":10: `ceiling.retry.max-attempts`: `0` is not a number from 1 to 1000000",
            ":6: `ceiling.limits.memory` is `memory-limit`: leave one of them out",
        ] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
        assert_eq!(told.lines().count(), 6, "{told}");
        assert!(refused("ceiling = 5\n").text.contains(":1: `ceiling` is a table: write `[ceiling]`"));
    }

    #[test]
    fn the_file_sets_what_flags_of_the_connection_say() {
        let text = "namespace = \"team-2\"\ntls-first = true\ntrust-submitters = false\ncache-dir = \"/c\"\n";
        let (settings, flags) = read_text(text, "wasmhost serve").unwrap();
        assert_eq!(flags.namespace.unwrap().as_str(), "team-2");
        assert!(flags.tls_first);
        let config = settings.host_config().unwrap();
        assert_eq!((config.trust_submitters, config.cache_dir), (false, Some("/c".into())));
        let told = refused("tls-first = \"maybe\"\njson = true\nconfig = \"x\"\nserver = \"n\"\n").text;
        for problem in [
            ":1: `tls-first`: `maybe` is none of true, false",
            ":2: unknown key `json`",
            ":3: unknown key `config`",
            ":4: unknown key `server`",
        ] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
        assert_eq!(told.lines().count(), 4, "{told}");
    }
}
