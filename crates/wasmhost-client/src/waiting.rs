//! Waiting for the end of a job that is told: whoever writes the terminal record publishes it to an inbox of this client
//! ([R15](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r15)). Only where the notice may have been lost is the
//! record read.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wasmhost_nats::{EndNotice, Told};
use wasmhost_protocol::record::Record;

use crate::job::{JobHandle, StatusError};

/// When a record is read for the first time without a notice. The pause before each further read is twice as long.
const FIRST_READ: Duration = Duration::from_secs(15);
/// The longest pause between two reads.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
impl JobHandle {
    /// Waits for the terminal record of a job whose end is told.
    pub(crate) async fn told_end(&self, mut notice: EndNotice) -> Result<Record, StatusError> {
        let waiting = self.client.turns().join();
        let mut pause = FIRST_READ;
        let mut read_at = Instant::now() + pause;
        loop {
            // Dropping the other arm loses nothing: a notice stays until it is taken.
            tokio::select! {
                biased;
                told = notice.next() => match told {
                    Told::End(record) if record.key() == self.key => return Ok(*record),
                    Told::End(_) | Told::Spoilt => return self.watched_end().await,
                    Told::Missed => read_at = Instant::now() + waiting.turn(),
                },
                () = sleep_until(read_at) => {
                    let record = self.read_when_answered().await?;
                    if record.is_terminal() {
                        return Ok(record);
                    }
                    pause = LONGEST_PAUSE.min(2 * pause);
                    read_at = Instant::now() + pause + waiting.turn();
                }
            }
        }
    }
}
