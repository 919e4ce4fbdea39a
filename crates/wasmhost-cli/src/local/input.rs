//! What a person passes in: arguments inline, from a file or from standard input, components, and files of text.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{escape, format_size_rounded};

use crate::error::{CliError, Exit};

/// The most bytes of a file of text, such as a policy or a configuration.
const TEXT_BYTES: usize = 512 << 10;

/// Reads the arguments of a task: JSON as it is, `@FILE`, or `-` for standard input. Nothing stands for no arguments.
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
            format_size_rounded(Limits::ARGUMENT_BYTES as u64)
        )));
    }
    Ok(Bytes::from(bytes))
}

/// Whether a text is arguments, not the name of a function.
pub(crate) fn is_arguments(text: &str) -> bool {
    text.starts_with(['{', '[', '@', '-'])
}

/// Reads the file of a component.
pub(crate) fn component(path: &Path) -> Result<Bytes, CliError> {
    read_whole(path, Limits::MODULE_BYTES).map(Bytes::from)
}

/// Reads a file of text.
pub(crate) fn text(path: &Path) -> Result<String, CliError> {
    let bytes = read_whole(path, TEXT_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|_| CliError::new(Exit::BadFile, format_args!("{} is not UTF-8 text", shown(path))))
}

/// A path in the form in which it is printed.
pub(crate) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// Reads a file that has at most `limit` bytes.
fn read_whole(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let bytes = read(path, limit)?;
    if bytes.len() > limit {
        let limit = format_size_rounded(limit as u64);
        return Err(CliError::new(Exit::BadFile, format_args!("{} has more than {limit}", shown(path))));
    }
    Ok(bytes)
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let read = File::open(path).and_then(|file| limited(file, limit));
    read.map_err(|error| {
        CliError::new(Exit::of_file(&error), format_args!("reading {}: {error}", shown(path)))
    })
}

/// Reads at most one byte more than `limit`, by which the caller sees that there is more.
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
