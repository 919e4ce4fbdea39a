//! Room for schedules: how many bytes they may take together is kept by those who publish them.

use async_nats::jetstream::stream::Config;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;

use crate::connect::Connection;
use crate::jobs::PublishError;
use crate::layout::LayoutConfig;

/// More than the subject and the headers of a schedule take.
const HEADER_BYTES: usize = 1 << 10;

/// Whether there is room for one more. The schedule stream takes whatever it is sent, since a limit of its own would make
/// the server drop the oldest schedules instead of refusing the newest: so its limit is kept here, and a few that come at
/// the same time may go over it, and cost nobody a schedule.
pub(super) async fn room_for(
    connection: &Connection,
    key: &JobKey,
    body_bytes: usize,
) -> Result<(), PublishError> {
    let name = connection.names.schedules_stream();
    let needed = u64::try_from(body_bytes + HEADER_BYTES).unwrap_or(u64::MAX);
    let answer = async {
        let stream = connection.jetstream.get_stream(&name).await.map_err(|error| error.to_string())?;
        let info = stream.cached_info();
        Ok((info.state.bytes, most_bytes(&info.config)))
    };
    let (key, answer) = (key.clone(), connection.denials.or_denied(&Names::stream_info(&name), answer).await);
    match answer {
        Ok(Ok((bytes, max_bytes))) if bytes.saturating_add(needed) <= max_bytes => Ok(()),
        Ok(Ok((bytes, max_bytes))) => {
            Err(PublishError::Full { key, text: format!("{name} holds {bytes} of {max_bytes} bytes") })
        }
        Ok(Err(text)) => Err(PublishError::Unknown { key, text }),
        Err(text) => Err(PublishError::Denied { key, text }),
    }
}

/// How much schedules may take together: as the stream's maker wrote it down.
fn most_bytes(config: &Config) -> u64 {
    let written = config.metadata.get(Names::SCHEDULES_MAX_BYTES).and_then(|bytes| bytes.parse().ok());
    let limit = u64::try_from(config.max_bytes).ok().filter(|bytes| *bytes > 0);
    let default = LayoutConfig::default().schedules_max_bytes.unsigned_abs();
    written.into_iter().chain(limit).min().unwrap_or(default)
}
