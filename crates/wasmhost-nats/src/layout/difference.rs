//! A setting that is not as the protocol needs it.

use std::fmt;

/// The name of a consumer's deadline in the server's JSON.
const ACK_WAIT: &str = "ack_wait";

/// A setting that is not as the protocol needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The stream or consumer; `nats-server` where it is a setting of the server itself.
    pub object: String,
    /// The setting, with its name in the server's JSON.
    pub field: &'static str,
    /// The value that it has.
    pub found: String,
    /// The value that it needs.
    pub wanted: String,
    /// What fixes it: a command, or a line of the server's configuration.
    pub fix: String,
}

impl Difference {
    /// Returns whether the setting is the deadline for a sign of life, which hosts may change while the deployment runs.
    #[must_use]
    pub fn is_ack_wait(&self) -> bool {
        self.field == ACK_WAIT
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, field, found, wanted, fix } = self;
        write!(f, "`{object}`: `{field}` is {found}, wanted {wanted}; fix it with `{fix}`")
    }
}
