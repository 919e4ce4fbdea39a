//! Every setting that is compared, what is required of it, and how it is fixed.

use serde_json::Value;

/// What is required of a setting.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// It has exactly the wanted value.
    Same,
    /// It has the wanted number, a larger one, or no limit.
    AtLeast,
    /// It has the wanted number or a larger one. Without a number the server has a limit of its own.
    Explicit,
    /// It has some limit, whichever, where one is wanted.
    Limited,
}

impl Rule {
    /// The rule for a stream with these wanted settings.
    pub(super) fn of(self, wanted: &Value) -> Self {
        match self {
            // A limit of a stream of schedules would make the server drop some that were accepted.
            Self::Limited if wanted["allow_msg_schedules"] == true => Self::Same,
            Self::Same | Self::AtLeast | Self::Explicit | Self::Limited => self,
        }
    }
}

/// How a setting is fixed.
#[derive(Clone, Copy)]
pub(super) enum Fix {
    /// It is fixed by this flag of `edit`.
    Flag(&'static str),
    /// It is turned on by this flag of `edit`. The server lets nobody turn it off, for which it is as [`Fix::Anew`].
    FlagOn(&'static str),
    /// It is fixed by `edit` in an editor.
    Interactive,
    /// The stream or consumer is removed, and the next start recreates it.
    Anew,
}

/// A setting with its name in the server's JSON, what is required of it, and how it is fixed.
pub(super) struct Setting(pub(super) &'static str, pub(super) Rule, pub(super) Fix);

use Fix::{Anew, Flag, FlagOn, Interactive};
use Rule::{AtLeast, Explicit, Limited, Same};

/// The settings of a stream. Those that are missing here may have any value.
pub(super) const STREAM: [Setting; 29] = [
    Setting("sealed", Same, Anew),
    Setting("mirror", Same, Anew),
    Setting("subjects", Same, Flag("subjects")),
    Setting("retention", Same, Anew),
    Setting("storage", Same, Anew),
    Setting("persist_mode", Same, Anew),
    Setting("no_ack", Same, Interactive),
    Setting("discard", Same, Flag("discard")),
    Setting("discard_new_per_subject", Same, Flag("discard-per-subject")),
    Setting("max_msgs_per_subject", Same, Flag("max-msgs-per-subject")),
    Setting("max_age", Same, Flag("max-age")),
    Setting("max_bytes", Limited, Flag("max-bytes")),
    Setting("max_msgs", Limited, Flag("max-msgs")),
    Setting("max_msg_size", AtLeast, Flag("max-msg-size")),
    Setting("max_consumers", Explicit, Flag("max-consumers")),
    Setting("consumer_limits", Same, Interactive),
    Setting("num_replicas", AtLeast, Flag("replicas")),
    Setting("duplicate_window", AtLeast, Flag("dupe-window")),
    Setting("allow_direct", Same, Flag("allow-direct")),
    Setting("allow_rollup_hdrs", Same, Flag("allow-rollup")),
    Setting("deny_delete", Same, FlagOn("deny-delete")),
    Setting("deny_purge", Same, FlagOn("deny-purge")),
    Setting("allow_msg_ttl", Same, FlagOn("allow-msg-ttl")),
    Setting("allow_msg_schedules", Same, FlagOn("allow-schedules")),
    Setting("allow_msg_counter", Same, Anew),
    Setting("subject_delete_marker_ttl", Same, Flag("subject-del-markers-ttl")),
    Setting("republish", Same, Flag("republish-source")),
    Setting("subject_transform", Same, Interactive),
    Setting("sources", Same, Flag("source")),
];

/// The settings of a consumer. One that is removed and recreated delivers again what is not acknowledged, for which the
/// protocol is made.
pub(super) const CONSUMER: [Setting; 22] = [
    Setting("deliver_subject", Same, Anew),
    Setting("deliver_group", Same, Anew),
    Setting("deliver_policy", Same, Anew),
    Setting("filter_subject", Same, Flag("filter")),
    Setting("filter_subjects", Same, Anew),
    Setting("ack_policy", Same, Anew),
    Setting("ack_wait", Same, Flag("wait")),
    Setting("max_deliver", Same, Flag("max-deliver")),
    Setting("max_ack_pending", Same, Flag("max-pending")),
    Setting("max_waiting", AtLeast, Anew),
    Setting("max_batch", Same, Anew),
    Setting("max_bytes", Same, Anew),
    Setting("max_expires", Same, Anew),
    Setting("backoff", Same, Anew),
    Setting("replay_policy", Same, Anew),
    Setting("rate_limit_bps", Same, Anew),
    Setting("headers_only", Same, Anew),
    Setting("flow_control", Same, Anew),
    Setting("idle_heartbeat", Same, Anew),
    Setting("inactive_threshold", Same, Anew),
    Setting("mem_storage", Same, Anew),
    Setting("priority_groups", Same, Anew),
];

/// The settings that the server writes in nanoseconds, and that a difference says as durations.
pub(super) const DURATIONS: [&str; 7] = [
    "max_age",
    "duplicate_window",
    "subject_delete_marker_ttl",
    "ack_wait",
    "max_expires",
    "idle_heartbeat",
    "inactive_threshold",
];
