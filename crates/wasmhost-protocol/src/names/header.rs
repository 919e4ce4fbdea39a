//! Names of headers, and the values of NATS's own that are compared with.

/// What all of our own start with, in any letter case.
pub const PREFIX: &str = "Wasmhost-";
/// Revision of the PENDING record.
pub const REVISION: &str = "Wasmhost-Revision";
/// Pins a version of the module.
pub const DIGEST: &str = "Wasmhost-Digest";
/// Attempts in all.
pub const MAX_ATTEMPTS: &str = "Wasmhost-Max-Attempts";
/// After this time an attempt is stopped.
pub const TIMEOUT: &str = "Wasmhost-Timeout";
/// After this time no attempt starts.
pub const EXPIRES: &str = "Wasmhost-Expires";
/// How long the terminal record is kept; `0` drops the result.
pub const RESULT_TTL: &str = "Wasmhost-Result-TTL";
/// Key of the job that this one came from.
pub const PARENT: &str = "Wasmhost-Parent";
/// Digest of the body, as the PENDING record has it.
pub const ARGS_DIGEST: &str = "Wasmhost-Args-Digest";
/// When the job was submitted, as the PENDING record has it.
pub const SUBMITTED_AT: &str = "Wasmhost-Submitted-At";
/// The queue; on the submit service only.
pub const QUEUE: &str = "Wasmhost-Queue";
/// How long to wait before the job is queued; on the submit service only.
pub const DELAY: &str = "Wasmhost-Delay";
/// When the job is queued; on the submit service only.
pub const AT: &str = "Wasmhost-At";
/// Kind of the failure; on dead jobs only.
pub const DEAD_KIND: &str = "Wasmhost-Dead-Kind";
/// Message of the failure; on dead jobs only.
pub const DEAD_REASON: &str = "Wasmhost-Dead-Reason";
/// Where it was published, which names its queue, its task and its id; on dead jobs only.
pub const DEAD_SUBJECT: &str = "Wasmhost-Dead-Subject";
/// W3C trace context.
pub const TRACEPARENT: &str = "traceparent";

/// Compare-and-set: last sequence of the subject. Empty, it switches the check off.
pub const EXPECTED_LAST_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
/// The stream that must take the message.
pub const EXPECTED_STREAM: &str = "Nats-Expected-Stream";
/// De-duplication, across the whole stream.
pub const MSG_ID: &str = "Nats-Msg-Id";
/// After this time the server removes the message.
pub const TTL: &str = "Nats-TTL";
/// Replaces what came before on the subject, or in the stream.
pub const ROLLUP: &str = "Nats-Rollup";
/// Value of [`ROLLUP`]: on the subject.
pub const ROLLUP_SUBJECT: &str = "sub";
/// Stream of a republished or directly read message.
pub const STREAM: &str = "Nats-Stream";
/// Its sequence: a record's revision.
pub const SEQUENCE: &str = "Nats-Sequence";
/// The sequence before it on its subject: the previous revision.
pub const LAST_SEQUENCE: &str = "Nats-Last-Sequence";
/// Its subject.
pub const SUBJECT: &str = "Nats-Subject";
/// When it was stored.
pub const TIME_STAMP: &str = "Nats-Time-Stamp";
/// Why the server wrote a delete marker.
pub const MARKER_REASON: &str = "Nats-Marker-Reason";
/// Value of [`MARKER_REASON`]: the TTL ended.
pub const MARKER_MAX_AGE: &str = "MaxAge";
/// What a client of the bucket did.
pub const KV_OPERATION: &str = "KV-Operation";
/// Value of [`KV_OPERATION`]: deleted.
pub const KV_DELETE: &str = "DEL";
/// Value of [`KV_OPERATION`]: purged.
pub const KV_PURGE: &str = "PURGE";
/// Text of a service's error.
pub const SERVICE_ERROR: &str = "Nats-Service-Error";
/// Number of a service's error.
pub const SERVICE_ERROR_CODE: &str = "Nats-Service-Error-Code";
/// When a schedule fires: `@at <RFC 3339>`, `@every 1s`, or cron with seconds first.
pub const SCHEDULE: &str = "Nats-Schedule";
/// The subject that it fires to.
pub const SCHEDULE_TARGET: &str = "Nats-Schedule-Target";
/// TTL of what it fires.
pub const SCHEDULE_TTL: &str = "Nats-Schedule-TTL";
/// Time zone of a cron schedule.
pub const SCHEDULE_TIME_ZONE: &str = "Nats-Schedule-Time-Zone";
/// On a message that a stream took from another one: that stream, the sequence there, and more, with spaces between.
pub const STREAM_SOURCE: &str = "Nats-Stream-Source";
/// On a fired message: the subject of its schedule.
pub const SCHEDULER: &str = "Nats-Scheduler";
/// On a fired message: when it fires next, or `purge`.
pub const SCHEDULE_NEXT: &str = "Nats-Schedule-Next";

/// With what was got directly: how many messages are behind it.
pub const NUM_PENDING: &str = "Nats-Num-Pending";
/// In the status that ends a request for deliveries: how many of them never came.
pub const PENDING_MESSAGES: &str = "Nats-Pending-Messages";
