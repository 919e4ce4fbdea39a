//! The error codes of JetStream that the protocol tells apart, and what each means for the writer.

/// "No message found."
pub const NO_MESSAGE: u64 = 10037;
/// "No message found", or "stream store EOF": there is nothing to delete under the sequence.
pub const NOT_DELETED: u64 = 10057;
/// "JetStream not enabled for account", "JetStream not enabled."
pub const OFF: [u64; 2] = [10039, 10076];
/// "Stream not found."
pub const NO_STREAM: u64 = 10059;
/// "Wrong last sequence", and the same while another write is in flight on a replicated stream.
pub const CONFLICTS: [u64; 2] = [10071, 10164];
/// The server could not take the write now: no leader, too many in flight, temporarily unavailable.
pub const TRY_AGAIN: [u64; 4] = [10163, 10158, 10008, 10009];
/// Message or account limits, storage or memory exhausted.
pub const FULL: [u64; 5] = [10077, 10023, 10047, 10002, 10028];
/// "Message size exceeds maximum allowed."
pub const TOO_LARGE: u64 = 10054;

/// "Maximum consumers limit reached."
pub const CONSUMERS_LIMIT: u64 = 10026;
/// "Maximum number of streams reached."
pub(crate) const STREAMS_LIMIT: u64 = 10027;
/// "Replicas > 1 not supported in non-clustered mode", "no suitable peers for placement".
pub(crate) const REPLICAS: [u64; 2] = [10074, 10005];
/// "Account requires a stream config to have max bytes set."
pub(crate) const BYTES_REQUIRED: u64 = 10113;
/// "Stream max bytes exceeds account limit max stream bytes."
pub(crate) const STREAM_BYTES: u64 = 10122;
/// "Maximum bytes exceeded", "maximum messages exceeded" and what else keeps a message out of its stream.
pub(crate) const NOT_STORED: u64 = 10077;
