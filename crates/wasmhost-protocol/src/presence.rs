//! The presence of a host: what it says of itself under its key of the hosts bucket while it runs.

use serde::{Deserialize, Serialize};

use crate::ids::{HostId, QueueName};
use crate::timestamp::Timestamp;

/// A `HostPresence` describes a running host. The host renews it every 10 s, and the bucket forgets it after
/// 30 s without a renewal. Later versions add fields, and readers ignore those that they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPresence {
    /// The version of this form; [`Self::VERSION`].
    pub v: u32,
    /// The host's id.
    pub id: HostId,
    /// The version of the wasmhost program that runs.
    pub version: String,
    /// When the host started.
    pub started_at: Timestamp,
    /// When the host last renewed this.
    pub updated_at: Timestamp,
    /// The queues that the host serves.
    pub queues: Vec<QueueName>,
    /// The most attempts that the host runs at a time.
    pub slots: u32,
    /// The attempts that the host runs now.
    pub running: u32,
    /// Whether the host takes no more work because it drains.
    pub draining: bool,
    /// Whether the host can record what it does. It is false while the server has no room for the host's
    /// records, and true where an older host does not say.
    #[serde(default = "ready")]
    pub ready: bool,
}

/// Returns the value for hosts that wrote their presence before the field existed.
fn ready() -> bool {
    true
}

impl HostPresence {
    /// The version of the form that this crate writes. Later versions only add fields.
    pub const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presence_reads_back_and_ignores_what_newer_hosts_add() {
        let text = concat!(
            r#"{"v":1,"id":"h-1","version":"0.1.0","started_at":"2026-01-31T12:00:00.000Z","#,
            r#""updated_at":"2026-01-31T12:00:05.000Z","queues":["default"],"slots":8,"running":2,"draining":false,"ready":true}"#
        );
        let presence: HostPresence = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&presence).unwrap(), text);
        let older = text.replace(r#","ready":true"#, "");
        assert_eq!(serde_json::from_str::<HostPresence>(&older).unwrap(), presence);
        let newer = text.replace(r#""v":1"#, r#""v":1,"load":0.5"#);
        assert_eq!(serde_json::from_str::<HostPresence>(&newer).unwrap(), presence);
    }
}
