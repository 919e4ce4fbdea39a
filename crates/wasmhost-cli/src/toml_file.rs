//! Files in TOML: the policy of a module and the configuration of a host. An unknown key is an error that names the
//! nearest one.

use std::path::Path;

use serde::de::DeserializeOwned;
use wasmhost_protocol::escape;

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::input;
use crate::nearest::suggestion;

/// Reads a file into a type that denies unknown fields.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Complaint> {
    let text = input::text(path)?;
    toml::from_str(&text).map_err(|error| {
        let message = error.message();
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let place =
            line.map(|line| format!("{}:{line}", input::shown(path))).unwrap_or_else(|| input::shown(path));
        Complaint::new(Exit::Config, format_args!("{place}: {}{}", escape(message), did_you_mean(message)))
    })
}

/// Reads a file as a table.
pub(crate) fn table(path: &Path) -> Result<toml::Table, Complaint> {
    read(path)
}

/// From serde's `unknown field `x`, expected one of `a`, `b``.
fn did_you_mean(message: &str) -> String {
    let Some((unknown, expected)) = message.split_once(", expected ") else { return String::new() };
    let Some(unknown) = unknown.strip_prefix("unknown field `") else { return String::new() };
    suggestion(unknown.trim_end_matches('`'), expected.split('`').skip(1).step_by(2))
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::Policy;

    use super::*;

    fn policy(text: &str) -> Result<Policy, Complaint> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    #[test]
    fn a_policy_is_read_over_the_defaults() {
        let policy =
            policy("result_ttl = \"1h\"\n[limits]\nmemory_bytes = 1000000\n[config]\nkey = \"value\"\n")
                .unwrap();
        assert_eq!(policy.limits.memory_bytes, 1_000_000);
        assert_eq!(policy.limits.handles, Policy::default().limits.handles);
        assert_eq!(policy.config["key"], "value");
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_one() {
        let complaint = policy("[limits]\nmemroy_bytes = 1\n").unwrap_err();
        assert_eq!(complaint.exit, Exit::Config);
        assert!(complaint.text.contains(":2: unknown field `memroy_bytes`"), "{}", complaint.text);
        assert!(complaint.text.ends_with("did you mean `memory_bytes`?"), "{}", complaint.text);
    }
}
