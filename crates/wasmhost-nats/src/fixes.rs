//! What an operator changes so that the server no longer refuses a stream, a consumer or a message.

use async_nats::jetstream;

use crate::codes::{
    BYTES_REQUIRED, CONSUMERS_LIMIT, FULL, NOT_STORED, REPLICAS, STREAM_BYTES, STREAMS_LIMIT,
};

/// Why the server makes no consumer on `stream`, with the setting to change where their number is the reason.
pub(crate) fn consumer_refusal(stream: &str, error: &jetstream::Error) -> String {
    if error.error_code().0 != CONSUMERS_LIMIT {
        return error.to_string();
    }
    format!(
        "`{stream}` has as many consumers as it may, by its `max_consumers` or by a limit of the account: see `nats consumer \
         ls {stream}` for those that nobody needs"
    )
}

/// The setting that would let the server make a stream that it refuses. `bytes` is what all missing streams reserve
/// together.
pub(crate) fn stream_fix(code: u64, bytes: u64) -> Option<String> {
    let reserved = bytes.div_ceil(1 << 20);
    Some(match code {
        STREAMS_LIMIT => "raise `max_streams` of the account: nine are needed".to_owned(),
        CONSUMERS_LIMIT => "raise `max_consumers` of the account".to_owned(),
        BYTES_REQUIRED => {
            "turn `max_bytes_required` of the account off: records, modules and schedules are kept without a bound".to_owned()
        }
        STREAM_BYTES => {
            "raise `store_max_stream_bytes` of the account, or give less with `--storage`".to_owned()
        }
        code if REPLICAS.contains(&code) => {
            "give fewer `--replicas`, or run as many servers with JetStream in the cluster".to_owned()
        }
        // The server reserves `max_bytes` when it makes a stream, so that an empty disk can be full.
        code if FULL.contains(&code) => format!(
            "the streams with a bound reserve {reserved} MiB: give less with `--storage`, or raise `max_file` of the account \
             or `max_file_store` of the server, within what its disk has"
        ),
        _ => return None,
    })
}

/// The setting that keeps a message out of its stream. `text` is the server's description of the error.
pub(crate) fn room_fix(code: u64, text: &str) -> &'static str {
    match code {
        // The server has one code for all that its store refuses: only the description says which limit it was.
        NOT_STORED if text.contains("maximum bytes") => {
            "raise `max_bytes` of the stream (`nats stream edit`)"
        }
        NOT_STORED if text.contains("maximum messages") => {
            "raise `max_msgs` of the stream (`nats stream edit`)"
        }
        NOT_STORED => "see the log of nats-server",
        _ => "raise `max_file` of the account or `max_file_store` of the server",
    }
}
