//! The configuration file of `serve`: the flags' names as keys. Everything that is wrong with it is said at once.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::{Table, Value};
use wasmhost_protocol::policy::Ceiling;
use wasmhost_protocol::text::escape;

use super::ceilings::TABLES;
use super::settings::Settings;
use crate::cli::Global;
use crate::config::connection::parse_url;
use crate::config::flag_values::{
    parse_ack_wait, parse_bytes, parse_grace, parse_memory, parse_memory_limit, parse_reconcile_after,
    parse_replicas, parse_slots, parse_storage,
};
use crate::config::toml_file::TomlFile;
use crate::error::CliError;
use crate::error::Exit;
use crate::error::suggestion::suggestion;

/// Every key there is.
const KEYS: [&str; 28] = [
    "nats",
    "namespace",
    "context",
    "creds",
    "nkey",
    "jwt",
    "seed",
    "token",
    "user",
    "password",
    "tls-ca",
    "tls-cert",
    "tls-key",
    "tls-first",
    "queues",
    "slots",
    "memory-limit",
    "memory",
    "modules-memory",
    "ceiling",
    "grace",
    "ack-wait",
    "reconcile-after",
    "cache-dir",
    "storage",
    "replicas",
    "trust-submitters",
    "await-nats",
];

/// Reads the file: what concerns the connection fills the gaps of `global`.
pub(crate) fn read(path: &Path, global: &mut Global) -> Result<Settings, CliError> {
    let mut file = File { toml: TomlFile::open(path).map_err(as_configuration)?, problems: Vec::new() };
    file.reject_unknown_keys();
    let settings = file.settings();
    file.connection(global);
    if file.problems.is_empty() {
        return Ok(settings);
    }
    Err(CliError::new(Exit::Config, file.problems.join("\nerror: ")))
}

/// Whatever is wrong with the file is wrong with the configuration; only one that is not there is not found.
fn as_configuration(cli_error: CliError) -> CliError {
    match cli_error.exit {
        Exit::NotFound => cli_error,
        _ => CliError::new(Exit::Config, cli_error.text),
    }
}

struct File {
    toml: TomlFile,
    problems: Vec<String>,
}

impl File {
    fn reject_unknown_keys(&mut self) {
        for key in self.toml.table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let place = self.toml.place(key);
            self.problems.push(format!("{place}: unknown key `{}`{}", escape(key), suggestion(key, KEYS)));
        }
    }

    fn settings(&mut self) -> Settings {
        Settings {
            queues: self.parsed("queues"),
            slots: self.value("slots", parse_slots),
            memory_limit: self.value("memory-limit", parse_memory_limit),
            memory: self.value("memory", parse_memory),
            modules_memory: self.value("modules-memory", parse_bytes),
            grace: self.value("grace", parse_grace),
            ack_wait: self.value("ack-wait", parse_ack_wait),
            reconcile_after: self.value("reconcile-after", parse_reconcile_after),
            cache_dir: self.parsed("cache-dir"),
            storage: self.value("storage", parse_storage),
            replicas: self.value("replicas", parse_replicas),
            trust_submitters: self.parsed("trust-submitters"),
            await_nats: self.parsed("await-nats"),
            ceiling: self.ceiling(),
        }
    }

    /// The most that may be asked for; none where nothing is said of it.
    fn ceiling(&mut self) -> Option<Ceiling> {
        let said = self.table("ceiling", self.toml.table.get("ceiling").cloned()?)?;
        let mut ceiling = Ceiling::default();
        self.reject_unknown("ceiling", &said, &TABLES.map(|(name, _)| name));
        for (name, settings) in TABLES {
            let path = format!("ceiling.{name}");
            let Some(said) = said.get(name).and_then(|value| self.table(&path, value.clone())) else {
                continue;
            };
            self.reject_unknown(&path, &said, &settings.iter().map(|(key, _)| *key).collect::<Vec<_>>());
            for (key, put) in settings {
                let path = format!("{path}.{key}");
                if let Some(value) = said.get(*key) {
                    self.read(&path, value, |text| put(&mut ceiling, text));
                }
            }
        }
        if self.toml.table.contains_key("memory-limit") && is_said(&said, "limits", "memory") {
            let place = self.toml.place("ceiling.limits.memory");
            self.problems
                .push(format!("{place}: `ceiling.limits.memory` is `memory-limit`: leave one of them out"));
        }
        Some(ceiling)
    }

    fn table(&mut self, path: &str, value: Value) -> Option<Table> {
        match value {
            Value::Table(table) => Some(table),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                let place = self.toml.place(path);
                self.problems.push(format!("{place}: `{path}` is a table: write `[{path}]`"));
                None
            }
        }
    }

    fn reject_unknown(&mut self, path: &str, said: &Table, known: &[&str]) {
        for key in said.keys().filter(|key| !known.contains(&key.as_str())) {
            let place = self.toml.place(&format!("{path}.{key}"));
            let (key, near) = (escape(key), suggestion(key, known.iter().copied()));
            self.problems.push(format!("{place}: unknown key `{path}.{key}`{near}"));
        }
    }

    fn connection(&mut self, global: &mut Global) {
        let url_is_set =
            global.nats.is_some() || std::env::var_os("NATS_URL").is_some_and(|url| !url.is_empty());
        let url = self.value("nats", parse_url);
        if !url_is_set {
            global.nats = url;
        }
        global.namespace = global.namespace.take().or(self.parsed("namespace"));
        for (key, path) in [
            ("creds", &mut global.creds),
            ("nkey", &mut global.nkey),
            ("tls-ca", &mut global.tls_ca),
            ("tls-cert", &mut global.tls_cert),
            ("tls-key", &mut global.tls_key),
        ] {
            *path = path.take().or(self.parsed::<PathBuf>(key));
        }
        global.tls_first |= self.parsed("tls-first").unwrap_or(false);
        for (key, text) in [
            ("context", &mut global.context),
            ("jwt", &mut global.jwt),
            ("seed", &mut global.seed),
            ("token", &mut global.token),
            ("user", &mut global.user),
            ("password", &mut global.password),
        ] {
            *text = text.take().or(self.parsed::<String>(key));
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        self.value(key, T::from_str)
    }

    /// The value of a key; numbers and booleans are read as their text, as a flag's would be.
    fn value<T, E: Display>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.toml.table.get(key)?.clone();
        self.read(key, &value, parse)
    }

    fn read<T, E: Display>(
        &mut self,
        key: &str,
        value: &Value,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let place = self.toml.place(key);
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
                self.problems.push(format!("{place}: `{key}` is written as a text, like its flag"));
                return None;
            }
        };
        parse(&text).map_err(|error| self.problems.push(format!("{place}: `{key}`: {error}"))).ok()
    }
}

fn is_said(tables: &Table, table: &str, key: &str) -> bool {
    tables.get(table).and_then(Value::as_table).is_some_and(|table| table.contains_key(key))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use wasmhost_host::MemoryBudget;

    use super::*;
    use crate::cli::{Cli, Command};

    fn read_text(text: &str, line: &str) -> (Result<Settings, CliError>, Global) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        let mut global = cli.global;
        let read = read(file.path(), &mut global);
        (read.map(|below| args.settings.over(below)), global)
    }

    #[test]
    fn flags_overrule_the_file() {
        let text =
            "nats = \"nats://file:1\"\nuser = \"ada\"\nslots = 3\ngrace = \"5s\"\nmemory-limit = \"1G\"\n";
        let (settings, global) = read_text(text, "wasmhost serve --slots 7 --nats nats://flag:1");
        let config = settings.unwrap().host_config().unwrap();
        assert_eq!(
            (config.slots, config.grace, config.ceiling.memory_bytes),
            (7, Duration::from_secs(5), 1 << 30)
        );
        assert_eq!((global.nats.as_deref(), global.user.as_deref()), (Some("nats://flag:1"), Some("ada")));
    }

    #[test]
    fn all_problems_of_a_file_are_listed_together() {
        let (settings, _) =
            read_text("qeues = \"a\"\nslots = \"many\"\ngrace = 5\nqueues = [\"a\"]\n", "wasmhost serve");
        let cli_error = settings.unwrap_err();
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
        let (settings, _) = read_text(text, "wasmhost serve");
        let config = settings.unwrap().host_config().unwrap();
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
        let (settings, _) = read_text(text, "wasmhost serve --memory-limit 64M --memory 2G");
        let config = settings.unwrap().host_config().unwrap();
        assert_eq!(config.ceiling, Ceiling { memory_bytes: 64 << 20, ..wanted });
        assert_eq!(config.memory, MemoryBudget::Bytes(2 << 30));
    }

    #[test]
    fn whatever_is_wrong_with_ceilings_is_told_with_its_line() {
        let text = "memory-limit = \"1G\"\n[ceiling]\nlimit = 1\n[ceiling.limits]\nmemroy = \"1G\"\n\
             memory = \"1G\"\nmeta = \"1M\"\ncpu = true\n[ceiling.retry]\nmax-attempts = 0\n";
        let (settings, _) = read_text(text, "wasmhost serve");
        let told = settings.unwrap_err().text;
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
        let (settings, _) = read_text("ceiling = 5\n", "wasmhost serve");
        assert!(settings.unwrap_err().text.contains(":1: `ceiling` is a table: write `[ceiling]`"));
    }
}
