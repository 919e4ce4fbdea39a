//! The version that a nats-server program says it has.

use std::{
    fmt,
    path::Path,
    process::{Command, Stdio},
};

/// The oldest server that is accepted: 2.14 is the first one with cron schedules. Hosts serve on older servers too; what is started
/// here is the user's to choose, so that it may as well be one with everything.
pub const MINIMUM_VERSION: Version = Version { major: 2, minor: 14, patch: 0 };

/// A version: `major.minor.patch`. A suffix such as `-beta.1` is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The number that changes with incompatible changes.
    pub major: u32,
    /// The number that changes with new features.
    pub minor: u32,
    /// The number that changes with fixes.
    pub patch: u32,
}

impl Version {
    /// Reads the answer to `--version`: `nats-server: v2.14.0`.
    pub(crate) fn parse(output: &str) -> Option<Self> {
        let text = output.trim().strip_prefix("nats-server: ")?;
        let text = text.strip_prefix('v').unwrap_or(text);
        let release = text.split(['-', '+', ' ']).next()?;
        let mut numbers = release.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        numbers.next().is_none().then_some(version)
    }

    /// Asks a program for its version. The error is a phrase for people.
    pub(crate) fn of(program: &Path) -> Result<Self, String> {
        let output = Command::new(program)
            .arg("--version")
            // It may be any program, and must not wait for input.
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("does not run: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        Self::parse(&said).ok_or_else(|| format!("is not a nats-server: --version said {:?}", said.trim()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_answer_of_a_server_is_read() {
        for (said, version) in [
            ("nats-server: v2.14.0\n", Some((2, 14, 0))),
            ("nats-server: 2.15.2", Some((2, 15, 2))),
            ("nats-server: v2.14.0-beta.1", Some((2, 14, 0))),
            ("nats-server: v2.14", None),
            ("nats-server: v2.14.0.1", None),
            ("nats 2.14.0", None),
            ("", None),
        ] {
            let version = version.map(|(major, minor, patch)| Version { major, minor, patch });
            assert_eq!(Version::parse(said), version, "{said:?}");
        }
    }
}
