//! Room for schedules. The schedule stream has no size limit of its own, so that its limit is kept by those who publish
//! schedules: [S3](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#s3).

use async_nats::jetstream::stream::Config;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;

use crate::connect::Connection;
use crate::jobs::PublishError;
use crate::layout::LayoutConfig;

/// An upper bound for the bytes of a schedule's subject and headers.
const HEADER_BYTES: usize = 1 << 10;

/// Checks that there is room for one more schedule with a body of so many bytes.
///
/// A stream of schedules takes whatever it is sent: with a limit of its own, the server would drop the oldest schedules
/// instead of refusing the newest. Schedules that are published at the same time may exceed the limit a little, at no
/// cost to others.
pub(super) async fn room_for(
    connection: &Connection,
    key: &JobKey,
    body_bytes: usize,
) -> Result<(), PublishError> {
    let name = connection.names.schedules_stream();
    let needed = u64::try_from(body_bytes + HEADER_BYTES).unwrap_or(u64::MAX);
    let usage = async {
        let stream = connection.jetstream.get_stream(&name).await.map_err(|error| error.to_string())?;
        let info = stream.cached_info();
        Ok((info.state.bytes, most_bytes(&info.config)))
    };
    let usage = connection.denials.or_denied(&Names::stream_info(&name), usage).await;
    let key = key.clone();
    match usage {
        Ok(Ok((bytes, max_bytes))) if bytes.saturating_add(needed) <= max_bytes => Ok(()),
        Ok(Ok((bytes, max_bytes))) => {
            Err(PublishError::Full { key, text: format!("{name} holds {bytes} of {max_bytes} bytes") })
        }
        Ok(Err(text)) => Err(PublishError::Unknown { key, text }),
        Err(text) => Err(PublishError::Denied { key, text }),
    }
}

/// How many bytes schedules may take together: what the host that made the stream wrote into its metadata.
fn most_bytes(config: &Config) -> u64 {
    let written = config.metadata.get(Names::SCHEDULES_MAX_BYTES).and_then(|bytes| bytes.parse().ok());
    // Somebody may have set a limit of the stream all the same; beyond it schedules would be dropped.
    let limit = u64::try_from(config.max_bytes).ok().filter(|bytes| *bytes > 0);
    let default = LayoutConfig::default().schedules_max_bytes.unsigned_abs();
    written.into_iter().chain(limit).min().unwrap_or(default)
}
