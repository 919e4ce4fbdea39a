//! Files in TOML: the policy of a module and the configuration of a host. An unknown key is an error that names the
//! nearest one, and whatever is wrong is told with its line.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::text::escape;

use crate::error::CliError;
use crate::error::Exit;
use crate::error::suggestion::suggestion;
use crate::local::input;

/// A file as a table, with the lines of its keys.
pub(crate) struct TomlFile {
    /// What it says.
    pub(crate) table: toml::Table,
    place: String,
    text: String,
}

impl TomlFile {
    /// Reads it.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        let text = input::text(path)?;
        Ok(Self { table: parse(path, &text)?, place: input::shown(path), text })
    }

    /// `file:line` of a key; the file alone where it does not say it.
    pub(crate) fn place(&self, key: &str) -> String {
        place(&self.place, &self.text, key)
    }
}

/// Reads a policy that a module may have.
pub(crate) fn policy(path: &Path) -> Result<Policy, CliError> {
    let text = input::text(path)?;
    let policy: Policy = parse(path, &text)?;
    let Err(refused) = policy.check() else { return Ok(policy) };
    let shown = input::shown(path);
    let problems = refused.settings.iter().map(|it| format!("{}: {it}", place(&shown, &text, it.setting)));
    Err(CliError::new(Exit::Config, problems.collect::<Vec<_>>().join("\nerror: ")))
}

/// Into a type that denies unknown fields.
fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, CliError> {
    toml::from_str(text).map_err(|error| {
        let message = error.message();
        let place = match error.span() {
            Some(span) => format!("{}:{}", input::shown(path), line(text, span.start)),
            None => input::shown(path),
        };
        CliError::new(Exit::Config, format_args!("{place}: {}{}", escape(message), did_you_mean(message)))
    })
}

/// `file:line` of a setting, whose tables are named before it with dots.
fn place(file: &str, text: &str, setting: &str) -> String {
    let found = DeTable::parse(text).ok().and_then(|table| {
        let (mut table, mut at) = (table.into_inner(), None);
        for name in setting.split('.') {
            let (key, value) = table.into_iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
            at = Some(key.span().start);
            table = match value.into_inner() {
                DeValue::Table(inner) => inner,
                _ => DeTable::new(),
            };
        }
        at
    });
    found.map_or_else(|| file.to_owned(), |at| format!("{file}:{}", line(text, at)))
}

fn line(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// From serde's `unknown field `x`, expected one of `a`, `b``.
fn did_you_mean(message: &str) -> String {
    let Some((unknown, expected)) = message.split_once(", expected ") else { return String::new() };
    let Some(unknown) = unknown.strip_prefix("unknown field `") else { return String::new() };
    suggestion(unknown.trim_end_matches('`'), expected.split('`').skip(1).step_by(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, CliError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        policy(file.path())
    }

    #[test]
    fn a_policy_is_read_over_the_defaults() {
        let policy =
            read("result_ttl = \"1h\"\n[limits]\nmemory_bytes = 1000000\n[config]\nkey = \"value\"\n")
                .unwrap();
        assert_eq!(policy.limits.memory_bytes, 1_000_000);
        assert_eq!(policy.limits.handles, Policy::default().limits.handles);
        assert_eq!(policy.config["key"], "value");
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_one() {
        let cli_error = read("[limits]\nmemroy_bytes = 1\n").unwrap_err();
        assert_eq!(cli_error.exit, Exit::Config);
        assert!(cli_error.text.contains(":2: unknown field `memroy_bytes`"), "{}", cli_error.text);
        assert!(cli_error.text.ends_with("did you mean `memory_bytes`?"), "{}", cli_error.text);
    }

    #[test]
    fn every_value_beside_its_bounds_is_told_with_its_line() {
        let text =
            "result_ttl = \"100000d\"\n[limits]\nmemory_bytes = 0\ncpu = \"1s\"\n[retry]\nfactor = inf\n";
        let cli_error = read(text).unwrap_err();
        assert_eq!(cli_error.exit, Exit::Config);
        let lines: Vec<_> = cli_error.text.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        for (line, told) in [
            (lines[0], ":3: `limits.memory_bytes`: 0 is less than 65536, the least"),
            (lines[1], ":6: `retry.factor`: inf is more than 100, the most"),
            (lines[2], ":1: `result_ttl`: 100000d is more than 3650d, the most"),
        ] {
            assert!(line.contains(told), "{told}: {line}");
        }
    }
}
