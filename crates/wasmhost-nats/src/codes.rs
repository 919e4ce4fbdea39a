//! The error codes of JetStream that the protocol tells apart. What each means for a writer is in
//! [names.md](https://github.com/wasmhost/wasmhost/blob/main/docs/names.md#codes).

/// "No message found": there is no such message.
pub const NO_MESSAGE: u64 = 10037;
/// "No message found" or "stream store EOF" in answer to a deletion: nothing is stored under the sequence.
pub const NOT_DELETED: u64 = 10057;
/// "JetStream not enabled for account" and "JetStream not enabled": it is off, or the server starts or ends at this
/// moment.
pub const OFF: [u64; 2] = [10039, 10076];
/// "Stream not found": it was never made.
pub const NO_STREAM: u64 = 10059;
/// "Wrong last sequence": another revision is the newest. The second code comes from a replicated stream while another
/// write is in flight, and async-nats does not know it.
pub const CONFLICTS: [u64; 2] = [10071, 10164];
/// No leader, too many requests in flight, or temporarily unavailable: the server could not take the write now, so that
/// it has neither succeeded nor failed.
pub const TRY_AGAIN: [u64; 4] = [10163, 10158, 10008, 10009];
/// The messages or bytes of the stream or the account, the storage or the memory of the server are used up.
pub const FULL: [u64; 5] = [10077, 10023, 10047, 10002, 10028];
/// "Message size exceeds maximum allowed."
pub const TOO_LARGE: u64 = 10054;

/// "Maximum consumers limit reached."
pub const CONSUMERS_LIMIT: u64 = 10026;
/// "Maximum number of streams reached."
pub(crate) const STREAMS_LIMIT: u64 = 10027;
/// "Replicas > 1 not supported in non-clustered mode" and "no suitable peers for placement".
pub(crate) const REPLICAS: [u64; 2] = [10074, 10005];
/// "Account requires a stream config to have max bytes set."
pub(crate) const BYTES_REQUIRED: u64 = 10113;
/// "Stream max bytes exceeds account limit max stream bytes."
pub(crate) const STREAM_BYTES: u64 = 10122;
/// The store of the stream refused the message: "maximum bytes exceeded", "maximum messages exceeded", or an error of
/// the disk.
pub(crate) const NOT_STORED: u64 = 10077;
