//! A setting that is not as the protocol needs it.

use std::fmt;

/// A setting that is not as the protocol needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream or consumer; `nats-server` where it is a setting of the server itself.
    pub object: String,
    /// The setting, with its name in the server's JSON.
    pub field: &'static str,
    /// The value that it has.
    pub found: String,
    /// The value that it needs.
    pub wanted: String,
    /// The command that fixes it.
    pub command: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, field, found, wanted, command } = self;
        write!(f, "`{object}`: `{field}` is {found}, wanted {wanted}; fix it with `{command}`")
    }
}
