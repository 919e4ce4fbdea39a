//! The configuration file of `serve`: the flags' names as keys. Everything that is wrong with it is said at once.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Value;
use wasmhost_protocol::escape;

use super::Settings;
use crate::cli::Global;
use crate::complaint::Complaint;
use crate::connect::parse_url;
use crate::exit::Exit;
use crate::nearest::suggestion;
use crate::toml_file::TomlFile;
use crate::units::{
    parse_ack_wait, parse_grace, parse_memory_limit, parse_reconcile_after, parse_replicas, parse_slots,
    parse_storage,
};

/// Every key there is.
const KEYS: [&str; 21] = [
    "nats",
    "namespace",
    "creds",
    "nkey",
    "token",
    "user",
    "password",
    "tls-ca",
    "tls-cert",
    "tls-key",
    "queues",
    "slots",
    "memory-limit",
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
pub(super) fn read(path: &Path, global: &mut Global) -> Result<Settings, Complaint> {
    let mut file = File { toml: TomlFile::open(path).map_err(as_configuration)?, problems: Vec::new() };
    file.reject_unknown_keys();
    let settings = file.settings();
    file.connection(global);
    if file.problems.is_empty() {
        return Ok(settings);
    }
    Err(Complaint::new(Exit::Config, file.problems.join("\nerror: ")))
}

/// Whatever is wrong with the file is wrong with the configuration; only one that is not there is not found.
fn as_configuration(complaint: Complaint) -> Complaint {
    match complaint.exit {
        Exit::NotFound => complaint,
        _ => Complaint::new(Exit::Config, complaint.text),
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
            grace: self.value("grace", parse_grace),
            ack_wait: self.value("ack-wait", parse_ack_wait),
            reconcile_after: self.value("reconcile-after", parse_reconcile_after),
            cache_dir: self.parsed("cache-dir"),
            storage: self.value("storage", parse_storage),
            replicas: self.value("replicas", parse_replicas),
            trust_submitters: self.parsed("trust-submitters"),
            await_nats: self.parsed("await-nats"),
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
        for (key, text) in
            [("token", &mut global.token), ("user", &mut global.user), ("password", &mut global.password)]
        {
            *text = text.take().or(self.parsed::<String>(key));
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        self.value(key, T::from_str)
    }

    /// The value of a key; numbers and booleans are read as their text, as a flag's would be.
    fn value<T, E: Display>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let place = self.toml.place(key);
        let text = match self.toml.table.get(key)? {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
                self.problems.push(format!("{place}: `{key}` is written as a text, like its flag"));
                return None;
            }
        };
        parse(&text).map_err(|error| self.problems.push(format!("{place}: `{key}`: {error}"))).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn read_text(text: &str, line: &str) -> (Result<Settings, Complaint>, Global) {
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
            (config.slots, config.grace, config.max_memory_bytes),
            (7, Duration::from_secs(5), 1 << 30)
        );
        assert_eq!((global.nats.as_deref(), global.user.as_deref()), (Some("nats://flag:1"), Some("ada")));
    }

    #[test]
    fn all_problems_of_a_file_are_listed_together() {
        let (settings, _) =
            read_text("qeues = \"a\"\nslots = \"many\"\ngrace = 5\nqueues = [\"a\"]\n", "wasmhost serve");
        let complaint = settings.unwrap_err();
        assert_eq!(complaint.exit, Exit::Config);
        assert_eq!(complaint.text.lines().count(), 4, "{}", complaint.text);
        assert!(
            complaint.text.contains(":1: unknown key `qeues`; did you mean `queues`?"),
            "{}",
            complaint.text
        );
        assert!(complaint.text.contains(":3: `grace`: duration `5`"), "{}", complaint.text);
    }
}
