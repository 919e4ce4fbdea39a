//! The policy of a module as a file.

use std::path::Path;

use wasmhost_protocol::policy::Policy;

use super::toml_file::TomlFile;
use crate::error::{CliError, Exit};

/// Reads a policy that a module may have.
///
/// # Errors
///
/// The file cannot be read as a policy, or else all values outside of their bounds, each with its line.
pub(crate) fn read(path: &Path) -> Result<Policy, CliError> {
    let file = TomlFile::open(path)?;
    let policy: Policy = file.parse()?;
    let Err(refused) = policy.check() else { return Ok(policy) };
    let problems = refused.settings.iter().map(|it| format!("{}: {it}", file.place(it.setting)));
    Err(CliError::all(Exit::Config, &problems.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Policy, CliError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    #[test]
    fn a_policy_is_read_over_the_defaults() {
        let text = "result_ttl = \"1h\"\n[limits]\nmemory_bytes = 1000000\n[config]\nkey = \"value\"\n";
        let policy = read_text(text).unwrap();
        assert_eq!(policy.limits.memory_bytes, 1_000_000);
        assert_eq!(policy.limits.handles, Policy::default().limits.handles);
        assert_eq!(policy.config["key"], "value");
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_one() {
        let cli_error = read_text("[limits]\nmemroy_bytes = 1\n").unwrap_err();
        assert_eq!(cli_error.exit, Exit::Config);
        assert!(cli_error.text.contains(":2: unknown field `memroy_bytes`"), "{}", cli_error.text);
        assert!(cli_error.text.ends_with("did you mean `memory_bytes`?"), "{}", cli_error.text);
    }

    #[test]
    fn every_value_beside_its_bounds_is_told_with_its_line() {
        let text =
            "result_ttl = \"100000d\"\n[limits]\nmemory_bytes = 0\ncpu = \"1s\"\n[retry]\nfactor = inf\n";
        let cli_error = read_text(text).unwrap_err();
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
