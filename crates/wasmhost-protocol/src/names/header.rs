//! Names of headers, and those values of NATS' own headers that wasmhost writes or compares.

/// Every header of wasmhost starts with this, in any letter case.
pub const PREFIX: &str = "Wasmhost-";

/// Returns whether a header is one of wasmhost's. Names of headers are the same in any case.
#[must_use]
pub fn is_of_wasmhost(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
/// The revision of the PENDING record.
pub const REVISION: &str = "Wasmhost-Revision";
/// The digest of the module's version that the job runs, instead of the version that is current at its first
/// claim.
pub const DIGEST: &str = "Wasmhost-Digest";
/// The attempts in all.
pub const MAX_ATTEMPTS: &str = "Wasmhost-Max-Attempts";
/// The wall time after which an attempt is stopped, as a duration.
pub const TIMEOUT: &str = "Wasmhost-Timeout";
/// The time after which no attempt starts.
pub const EXPIRES: &str = "Wasmhost-Expires";
/// How long the terminal record is kept, as a duration; `0` drops the result.
pub const RESULT_TTL: &str = "Wasmhost-Result-TTL";
/// The key of the job that this one came from.
pub const PARENT: &str = "Wasmhost-Parent";
/// The digest of the arguments as the PENDING record has it: that of their canonical form. The digest of the
/// exact text is accepted as well.
pub const ARGS_DIGEST: &str = "Wasmhost-Args-Digest";
/// The time at which the job was submitted, as the PENDING record has it.
pub const SUBMITTED_AT: &str = "Wasmhost-Submitted-At";
/// The queue; only in a request to the submit service.
pub const QUEUE: &str = "Wasmhost-Queue";
/// How long to wait before the job is queued, as a duration; only in a request to the submit service.
pub const DELAY: &str = "Wasmhost-Delay";
/// The time at which the job is queued; only in a request to the submit service.
pub const AT: &str = "Wasmhost-At";
/// The inbox that is told the end of the job: whoever writes the terminal record publishes it there.
pub const NOTIFY: &str = "Wasmhost-Notify";
/// The kind of the failure; only on a dead-letter copy.
pub const DEAD_KIND: &str = "Wasmhost-Dead-Kind";
/// The message of the failure; only on a dead-letter copy.
pub const DEAD_REASON: &str = "Wasmhost-Dead-Reason";
/// The subject to which the message was published, which names its queue, task and id; only on a dead-letter
/// copy.
pub const DEAD_SUBJECT: &str = "Wasmhost-Dead-Subject";
/// The W3C trace context.
pub const TRACEPARENT: &str = "traceparent";

/// The sequence of the last message on the subject that a compare-and-set expects; 0 for none. An empty value
/// switches the check off.
pub const EXPECTED_LAST_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
/// The name of the stream that must store the message.
pub const EXPECTED_STREAM: &str = "Nats-Expected-Stream";
/// The id by which the server recognises a message that is sent again. It spans the whole stream: another
/// job's id would swallow the message.
pub const MSG_ID: &str = "Nats-Msg-Id";
/// The time to live after which the server removes the message, in whole seconds.
pub const TTL: &str = "Nats-TTL";
/// Replaces all earlier messages on the subject or in the stream.
pub const ROLLUP: &str = "Nats-Rollup";
/// The value of [`ROLLUP`] that replaces the messages on the subject.
pub const ROLLUP_SUBJECT: &str = "sub";
/// The stream of a message that was republished or read directly.
pub const STREAM: &str = "Nats-Stream";
/// The sequence of such a message, which for a record is its revision.
pub const SEQUENCE: &str = "Nats-Sequence";
/// The sequence of the message before it on its subject, which for a record is its previous revision.
pub const LAST_SEQUENCE: &str = "Nats-Last-Sequence";
/// The subject of a message that was republished or read directly.
pub const SUBJECT: &str = "Nats-Subject";
/// The time at which such a message was stored.
pub const TIME_STAMP: &str = "Nats-Time-Stamp";
/// The reason for which the server wrote a delete marker.
pub const MARKER_REASON: &str = "Nats-Marker-Reason";
/// The value of [`MARKER_REASON`] where the time to live ended.
pub const MARKER_MAX_AGE: &str = "MaxAge";
/// What a client of a bucket did with a key.
pub const KV_OPERATION: &str = "KV-Operation";
/// The value of [`KV_OPERATION`] where the client deleted the key.
pub const KV_DELETE: &str = "DEL";
/// The value of [`KV_OPERATION`] where the client purged the key.
pub const KV_PURGE: &str = "PURGE";
/// The text of a service's error.
pub const SERVICE_ERROR: &str = "Nats-Service-Error";
/// The number of a service's error.
pub const SERVICE_ERROR_CODE: &str = "Nats-Service-Error-Code";
/// When a schedule fires: `@at <RFC 3339>`, `@every 1s`, or cron with the seconds first.
pub const SCHEDULE: &str = "Nats-Schedule";
/// The subject that a schedule fires to.
pub const SCHEDULE_TARGET: &str = "Nats-Schedule-Target";
/// The time to live of the message that a schedule fires.
pub const SCHEDULE_TTL: &str = "Nats-Schedule-TTL";
/// Where a message comes from that a stream took from another one: the name of that stream, the sequence
/// there and further parts, separated by spaces.
pub const STREAM_SOURCE: &str = "Nats-Stream-Source";
/// When the schedule that fired a message fires next, or `purge` where it does not.
pub const SCHEDULE_NEXT: &str = "Nats-Schedule-Next";

/// How many messages follow one that was read directly in a batch.
pub const NUM_PENDING: &str = "Nats-Num-Pending";
