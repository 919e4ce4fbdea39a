//! What a person hands over: arguments inline, from a file or from standard input, and module files.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use bytes::Bytes;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::escape;

use crate::config::flag_values::format_bytes;
use crate::error::CliError;
use crate::error::Exit;

/// A file of text, a policy or a configuration, has no more bytes.
const TEXT_BYTES: usize = 512 << 10;

/// The arguments of a task as bytes: JSON as it stands, `@file`, or `-` for standard input; none: no arguments.
pub(crate) fn arguments(text: Option<&str>) -> Result<Bytes, CliError> {
    let bytes = match text {
        None => Vec::new(),
        Some("-") => limited(io::stdin().lock(), Limits::ARGUMENT_BYTES).map_err(|error| {
            CliError::usage(format_args!("reading the arguments from standard input: {error}"))
        })?,
        Some(text) => match text.strip_prefix('@') {
            Some(path) => read(Path::new(path), Limits::ARGUMENT_BYTES)?,
            None => text.as_bytes().to_vec(),
        },
    };
    if bytes.len() > Limits::ARGUMENT_BYTES {
        return Err(CliError::usage(format_args!(
            "the arguments have more than {}: put large data elsewhere and pass where it is",
            format_bytes(Limits::ARGUMENT_BYTES as u64)
        )));
    }
    Ok(Bytes::from(bytes))
}

/// Whether a first argument is already the arguments, not a function's name.
pub(crate) fn is_arguments(text: &str) -> bool {
    text.starts_with(['{', '[', '@', '-'])
}

/// A module's file.
pub(crate) fn module(path: &Path) -> Result<Bytes, CliError> {
    let bytes = read(path, Limits::MODULE_BYTES)?;
    if bytes.len() > Limits::MODULE_BYTES {
        let limit = format_bytes(Limits::MODULE_BYTES as u64);
        return Err(CliError::new(Exit::BadFile, format_args!("{} has more than {limit}", shown(path))));
    }
    Ok(Bytes::from(bytes))
}

/// A file of text.
pub(crate) fn text(path: &Path) -> Result<String, CliError> {
    let bytes = read(path, TEXT_BYTES)?;
    if bytes.len() > TEXT_BYTES {
        let limit = format_bytes(TEXT_BYTES as u64);
        return Err(CliError::new(Exit::BadFile, format_args!("{} has more than {limit}", shown(path))));
    }
    String::from_utf8(bytes)
        .map_err(|_| CliError::new(Exit::BadFile, format_args!("{} is not UTF-8 text", shown(path))))
}

/// A path as it is printed.
pub(crate) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let failed = |error: &io::Error| {
        let exit = match error.kind() {
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::PermissionDenied => Exit::Denied,
            _ => Exit::BadFile,
        };
        CliError::new(exit, format_args!("reading {}: {error}", shown(path)))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    limited(file, limit).map_err(|error| failed(&error))
}

/// Reads one byte over the limit at most, so that the caller sees that there is more.
fn limited(from: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn arguments_come_inline_or_from_a_file() {
        assert_eq!(arguments(None).unwrap(), "");
        assert_eq!(arguments(Some("[1]")).unwrap(), "[1]");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"{}").unwrap();
        assert_eq!(arguments(Some(&format!("@{}", file.path().display()))).unwrap(), "{}");
        assert_eq!(arguments(Some("@/no/such/file")).unwrap_err().exit, Exit::NotFound);
        let large = "1".repeat(Limits::ARGUMENT_BYTES + 1);
        assert_eq!(arguments(Some(&large)).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn a_first_argument_is_a_function_or_the_arguments() {
        for text in ["{}", "[1]", "@file", "-"] {
            assert!(is_arguments(text), "{text}");
        }
        assert!(!is_arguments("resize"));
    }
}
