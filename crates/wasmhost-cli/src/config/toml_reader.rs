//! Reading a TOML file whose values are those of flags: each is read as the flag's text would be, and everything that is
//! wrong is collected.

use std::path::Path;

use toml::{Table, Value};
use wasmhost_protocol::text::escape;

use super::toml_file::TomlFile;
use crate::error::CliError;
use crate::error::suggestion::suggestion;

/// A file while it is read.
pub(super) struct TomlReader {
    file: TomlFile,
    /// What the file says.
    pub(super) table: Table,
    /// Everything that is wrong with it, each with its place.
    pub(super) problems: Vec<String>,
}

impl TomlReader {
    /// Opens the file.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        let file = TomlFile::open(path)?;
        let table = file.parse()?;
        Ok(Self { file, table, problems: Vec::new() })
    }

    /// Adds a problem of a setting, whose tables are named before it with dots.
    pub(super) fn problem(&mut self, setting: &str, problem: &str) {
        self.problems.push(format!("{}: {problem}", self.file.place(setting)));
    }

    /// Refuses keys that are none of `known`, each with the nearest one. `prefix` names the table, with a dot at its end.
    pub(super) fn refuse_unknown(&mut self, prefix: &str, table: &Table, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let near = suggestion(key, known.iter().copied());
            self.problem(&format!("{prefix}{key}"), &format!("unknown key `{prefix}{}`{near}", escape(key)));
        }
    }

    /// A value that is a table.
    pub(super) fn as_table(&mut self, setting: &str, value: &Value) -> Option<Table> {
        let table = value.as_table().cloned();
        if table.is_none() {
            self.problem(setting, &format!("`{setting}` is a table: write `[{setting}]`"));
        }
        table
    }

    /// Reads a value with the parser of a flag. A number or a boolean is read as its text.
    pub(super) fn read<T>(
        &mut self,
        setting: &str,
        value: &Value,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        // `slots = 3` and `slots = "3"` mean the same, as both are the same text after a flag.
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
                self.problem(setting, &format!("`{setting}` is written as a text, like its flag"));
                return None;
            }
        };
        parse(&text).map_err(|why| self.problem(setting, &format!("`{setting}`: {why}"))).ok()
    }
}
