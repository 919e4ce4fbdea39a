//! Files in TOML, and the lines of their keys, so that whatever is wrong is reported with its place.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use wasmhost_protocol::text::escape;

use crate::error::suggestion::suggestion;
use crate::error::{CliError, Exit};
use crate::local::input;

/// A file in TOML.
pub(crate) struct TomlFile {
    name: String,
    text: String,
}

impl TomlFile {
    /// Reads the file.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        Ok(Self { name: input::shown(path), text: input::text(path)? })
    }

    /// What the file says. Where `T` denies unknown fields, an unknown key is reported with the nearest one.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, CliError> {
        toml::from_str(&self.text).map_err(|error| {
            let message = error.message();
            let place = match error.span() {
                Some(span) => self.line_at(span.start),
                None => self.name.clone(),
            };
            let near = did_you_mean(message);
            CliError::new(Exit::Config, format_args!("{place}: {}{near}", escape(message)))
        })
    }

    /// `file:line` of a setting, whose tables are named before it with dots; only the file where it does not have the
    /// setting.
    pub(crate) fn place(&self, setting: &str) -> String {
        self.find(setting).map_or_else(|| self.name.clone(), |at| self.line_at(at))
    }

    fn find(&self, setting: &str) -> Option<usize> {
        let mut table = DeTable::parse(&self.text).ok()?.into_inner();
        let mut at = None;
        for name in setting.split('.') {
            let (key, value) = table.into_iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
            at = Some(key.span().start);
            table = match value.into_inner() {
                DeValue::Table(inner) => inner,
                _ => DeTable::new(),
            };
        }
        at
    }

    fn line_at(&self, at: usize) -> String {
        let line = 1 + self.text[..at].matches('\n').count();
        format!("{}:{line}", self.name)
    }
}

/// The suggestion for an unknown key, by what serde says of one: ``unknown field `x`, expected one of `a`, `b` ``.
fn did_you_mean(message: &str) -> String {
    // The types of the protocol refuse unknown fields themselves, and only this text has the names that they know.
    let Some((unknown, expected)) = message.split_once(", expected ") else { return String::new() };
    let Some(unknown) = unknown.strip_prefix("unknown field `") else { return String::new() };
    suggestion(unknown.trim_end_matches('`'), expected.split('`').skip(1).step_by(2))
}
