//! Secrets as the `nats` command line takes them: the text itself, or where it is. Files may have a scheme before them.

use std::env;
use std::path::{Path, PathBuf};

use crate::local::input;

/// Schemes behind which `nats` finds secrets elsewhere, which `wasmhost` does not support.
const UNSUPPORTED_SCHEMES: [&str; 3] = ["op:", "nsc:", "data:"];

/// Reads the secrets and file names that flags give, and collects what is wrong with them.
#[derive(Default)]
pub(crate) struct SecretReader {
    /// All problems, each with its flag.
    pub(crate) problems: Vec<String>,
}

impl SecretReader {
    /// Reads a secret. One that cannot be read is a problem, and stays as it was given.
    pub(crate) fn text(&mut self, value: &Option<String>, flag: &str) -> Option<String> {
        let value = value.as_ref()?;
        Some(self.keep(text(value), flag).unwrap_or_else(|| value.clone()))
    }

    /// Reads the name of a file. One that is none is a problem, and stays as it was given.
    pub(crate) fn path(&mut self, value: &Option<PathBuf>, flag: &str) -> Option<PathBuf> {
        let value = value.as_ref()?;
        Some(self.keep(path(value), flag).unwrap_or_else(|| value.clone()))
    }

    fn keep<T>(&mut self, read: Result<T, String>, flag: &str) -> Option<T> {
        read.map_err(|why| self.problems.push(format!("{flag}: {why}"))).ok()
    }
}

/// The secret: `value` itself, the text of the file behind `file://`, or the value of the variable behind `env://`.
pub(crate) fn text(value: &str) -> Result<String, String> {
    if let Some(path) = value.strip_prefix("file://") {
        let text = input::text(Path::new(path)).map_err(|cli_error| cli_error.text)?;
        // Editors end the last line, which is no part of the secret.
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Some(name) = value.strip_prefix("env://") {
        let value = env::var_os(name).and_then(|value| value.into_string().ok());
        // A variable that is empty counts as unset, as everywhere.
        let value = value.filter(|value| !value.is_empty());
        return value.ok_or_else(|| format!("the variable `{name}` is not set"));
    }
    refuse_unsupported(value)?;
    Ok(value.to_owned())
}

/// The name of a file: `value` itself or what follows `file://`, with `~` for the home directory.
pub(crate) fn path(value: &Path) -> Result<PathBuf, String> {
    // A name that is not UTF-8 has neither a scheme nor a `~`.
    let Some(text) = value.to_str() else { return Ok(value.to_owned()) };
    refuse_unsupported(text)?;
    if text.starts_with("env:") {
        return Err("`env:` is read for secrets, not for files".to_owned());
    }
    let text = text.strip_prefix("file://").unwrap_or(text);
    let home = || env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    Ok(match text.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(text),
    })
}

fn refuse_unsupported(value: &str) -> Result<(), String> {
    match UNSUPPORTED_SCHEMES.iter().find(|scheme| value.starts_with(**scheme)) {
        Some(scheme) => {
            Err(format!("`{scheme}` is not supported: give the secret itself, `file://PATH` or `env://NAME`"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_text_or_where_it_is() {
        assert_eq!(text("s3cret").as_deref(), Ok("s3cret"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from a file\r\n").unwrap();
        assert_eq!(text(&format!("file://{}", file.path().display())).as_deref(), Ok("from a file"));
        assert!(text("env://NOT_SET_ANYWHERE").unwrap_err().contains("NOT_SET_ANYWHERE"));
        assert_eq!(text("env://PATH").ok(), env::var_os("PATH").unwrap().into_string().ok());
        for elsewhere in ["op://vault/x", "nsc://o/a/u", "data:,x"] {
            assert!(text(elsewhere).is_err() && path(Path::new(elsewhere)).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn a_file_may_be_in_the_home_directory() {
        let home = PathBuf::from(env::var_os("HOME").unwrap());
        assert_eq!(path(Path::new("~/u.creds")), Ok(home.join("u.creds")));
        assert_eq!(path(Path::new("file:///u.creds")), Ok(PathBuf::from("/u.creds")));
        assert_eq!(path(Path::new("u~.creds")), Ok(PathBuf::from("u~.creds")));
    }
}
