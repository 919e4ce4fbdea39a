//! Sending the chunks of an upload, each acknowledged. They go over the edge connection, so that records and signs of
//! life do not queue behind megabytes, and so that a chunk which was not sent is never sent later.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use nats_wire::{Answer, HeaderBlock, SendError, Wire};
use tokio::time::timeout;
use wasmhost_protocol::names::{Names, header};

use super::error::{ObjectError, failed};
use super::upload::Upload;
use crate::connect::ANSWER_TIMEOUT;
use crate::publication::acknowledged;
use crate::publish_failure::PublishFailure;

/// How many chunks may wait for their acknowledgements.
const IN_FLIGHT: usize = 4;

/// The chunks of one upload that were sent.
#[derive(Default)]
struct Sending {
    /// The acknowledgements that are still to come, in the order of the chunks.
    waiting: VecDeque<Answer>,
    /// The sequence of the newest chunk that is stored.
    last: u64,
    /// Whether it is unknown of a chunk if it is stored.
    unknown: bool,
}

impl Upload<'_> {
    pub(super) async fn send_chunks(&self) -> Result<(), ObjectError> {
        let subject = Names::object_chunks(self.store, &self.id);
        let sending = self.send_to(&subject);
        match self.connection.denials.or_denied(&subject, sending).await {
            Ok(sent) => sent,
            Err(text) => Err(ObjectError::Denied { name: self.object.name.to_owned(), text }),
        }
    }

    async fn send_to(&self, subject: &str) -> Result<(), ObjectError> {
        let ttl = self.ttl();
        let headers = ttl.as_deref().map(|ttl| HeaderBlock::of([(header::TTL, ttl)]));
        let headers = headers.transpose().expect("a number can stand in a header");
        let wire = self.connection.edge().await.map_err(|error| failed(self.object.name, error))?;
        // Set before anything is sent: this future may be dropped at any await.
        self.unsettled.store(true, Ordering::Relaxed);
        let mut sending = Sending::default();
        let sent = self.send_each(wire, subject, headers.as_ref(), &mut sending).await;
        // Also after a refusal: a chunk that is still on its way may find room, and the purge that follows must come
        // after it.
        let rest = async {
            while let Some(answer) = sending.waiting.pop_front() {
                sending.unknown |= acknowledged(subject, answer.await).is_err_and(|why| why.is_unknown());
            }
        };
        let is_settled = timeout(ANSWER_TIMEOUT, rest).await.is_ok() && !sending.unknown;
        self.unsettled.store(!is_settled, Ordering::Relaxed);
        sent
    }

    async fn send_each(
        &self,
        wire: &Wire,
        subject: &str,
        headers: Option<&HeaderBlock>,
        sending: &mut Sending,
    ) -> Result<(), ObjectError> {
        for chunk in self.object.bytes.chunks(self.chunk_bytes) {
            if sending.waiting.len() == IN_FLIGHT {
                self.wait_for_oldest(subject, sending).await?;
            }
            let asked = wire.send_request(subject, headers, chunk).await;
            sending.waiting.push_back(asked.map_err(|error| match error {
                SendError::TooLarge { .. } => self.unstored(PublishFailure::TooLarge),
                error => failed(self.object.name, error),
            })?);
        }
        while !sending.waiting.is_empty() {
            self.wait_for_oldest(subject, sending).await?;
        }
        Ok(())
    }

    /// Waits for the acknowledgement of the oldest chunk that has none.
    async fn wait_for_oldest(&self, subject: &str, sending: &mut Sending) -> Result<(), ObjectError> {
        let Some(answer) = sending.waiting.pop_front() else { return Ok(()) };
        let ack = acknowledged(subject, answer.await).map_err(|failure| {
            sending.unknown |= failure.is_unknown();
            self.unstored(failure)
        })?;
        // Readers put the chunks together in the order in which they are stored.
        if ack.sequence <= sending.last {
            return Err(failed(self.object.name, "its chunks were stored in another order"));
        }
        sending.last = ack.sequence;
        Ok(())
    }
}
