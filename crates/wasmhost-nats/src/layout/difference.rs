//! A setting that is not as needed.

use std::fmt;

/// A setting that is not as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream or consumer; `nats-server` for one of its own.
    pub object: String,
    /// The setting, as the server's JSON names it.
    pub field: &'static str,
    /// What stands there.
    pub found: String,
    /// What is needed.
    pub wanted: String,
    /// What fixes it.
    pub command: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, field, found, wanted, command } = self;
        write!(f, "`{object}`: `{field}` is {found}, wanted {wanted}; fix it with `{command}`")
    }
}
