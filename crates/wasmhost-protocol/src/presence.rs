//! What a host says of itself, in its key of the hosts bucket, for as long as it runs.

use serde::{Deserialize, Serialize};

use crate::ids::{HostId, QueueName};
use crate::timestamp::Timestamp;

/// A host that runs. Its key expires when it stops renewing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPresence {
    /// Version of this form; [`Self::VERSION`].
    pub v: u32,
    /// The host's id.
    pub id: HostId,
    /// The version of wasmhost that it runs.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last wrote this.
    pub updated_at: Timestamp,
    /// The queues that it serves.
    pub queues: Vec<QueueName>,
    /// Attempts that it runs at a time, at most.
    pub slots: u32,
    /// Attempts that it runs now.
    pub running: u32,
    /// Whether it takes no more work.
    pub draining: bool,
    /// Whether it can record what it does; false while the server has no room for its records.
    #[serde(default = "ready")]
    pub ready: bool,
}

/// Of hosts that do not say.
fn ready() -> bool {
    true
}

impl HostPresence {
    /// The version of the form that this code writes. Later ones only add fields.
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
