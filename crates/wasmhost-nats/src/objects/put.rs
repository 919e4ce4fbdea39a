//! Storing an object: a description and chunks, each acknowledged. The chunks go over the second connection: beats and records
//! do not queue behind megabytes, and what was not sent is not sent later.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use nats_wire::{Answers, Headers, SendError, Wire};
use serde::Deserialize;
use tokio::time::timeout;
use wasmhost_protocol::names::{ChunksId, Names, header};

use super::delete::{delete, purge};
use super::description::{Description, stored_chunks, subject};
use super::error::{ObjectError, bounded, failed};
use super::object::{Object, Readers};
use crate::api::{self, ApiError};
use crate::codes::Unstored;
use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::ids::random_chunks;
use crate::message::publish;
use crate::records::ttl_seconds;

/// Bytes of a chunk: three quarters of the default `max_payload` of a server.
const CHUNK_BYTES: usize = 768 << 10;
/// Chunks that may wait for their acknowledgement at a time.
const IN_FLIGHT: usize = 4;
/// The longest time to live that the server's arithmetic bears, with room to spare.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Stores the object. Where that fails, what was stored of it is removed again, as far as the server does it.
pub(crate) async fn put(
    connection: &Connection,
    store: &str,
    object: &Object<'_>,
) -> Result<(), ObjectError> {
    // A chunk needs room for its subject in the payload limit of a server that was set low.
    let chunk_bytes = CHUNK_BYTES.min(connection.client.max_payload() / 4 * 3).max(1);
    let upload = Upload {
        connection,
        store,
        object,
        id: random_chunks(),
        chunk_bytes,
        unsettled: AtomicBool::new(false),
    };
    match object.readers {
        Readers::Any => upload.described_last().await,
        Readers::NoneYet => upload.described_first().await,
    }
}

struct Upload<'a> {
    connection: &'a Connection,
    store: &'a str,
    object: &'a Object<'a>,
    id: ChunksId,
    chunk_bytes: usize,
    /// Whether a chunk may be stored yet, for all that is known.
    unsettled: AtomicBool,
}

impl Upload<'_> {
    async fn described_first(&self) -> Result<(), ObjectError> {
        let stored = bounded(self.object.name, async {
            match self.describe(Some(0)).await {
                Err(Unstored::Conflict) => {
                    delete(self.connection, self.store, self.object.name).await?;
                    self.describe(Some(0)).await
                }
                described => described,
            }
            .map_err(|unstored| self.unstored(unstored))?;
            self.send_chunks().await
        });
        let stored = stored.await;
        if stored.is_err() && self.unsettled.load(Ordering::Relaxed) {
            // Under its description it is found, should it be stored after this.
            let subject = Names::object_chunks(self.store, &self.id);
            self.undo(purge(self.connection, self.store, &subject)).await;
        } else if stored.is_err() {
            self.undo(delete(self.connection, self.store, self.object.name)).await;
        }
        stored
    }

    async fn described_last(&self) -> Result<(), ObjectError> {
        let stored = bounded(self.object.name, async {
            let before = match stored_chunks(self.connection, self.store, self.object.name).await {
                Err(ObjectError::Corrupt { .. }) => None,
                before => before?.and_then(|before| before.id()),
            };
            self.send_chunks().await?;
            self.describe(None).await.map_err(|unstored| self.unstored(unstored))?;
            Ok(before)
        });
        match stored.await {
            Ok(None) => Ok(()),
            Ok(Some(before)) => {
                let subject = Names::object_chunks(self.store, &before);
                let purged = purge(self.connection, self.store, &subject).await;
                purged.map_err(|error| ObjectError::read(self.object.name, error))
            }
            // A description that may stand after all keeps its chunks: the next one in its place removes them.
            Err(error) => {
                if let Ok(None) = stored_chunks(self.connection, self.store, self.object.name).await {
                    let subject = Names::object_chunks(self.store, &self.id);
                    self.undo(purge(self.connection, self.store, &subject)).await;
                }
                Err(error)
            }
        }
    }

    fn unstored(&self, unstored: Unstored) -> ObjectError {
        ObjectError::unstored(self.object.name, unstored)
    }

    /// What cannot be removed now is found by whoever looks for descriptions that no record names, or expires.
    async fn undo<T, E: std::fmt::Display>(&self, removing: impl Future<Output = Result<T, E>>) {
        match timeout(ANSWER_TIMEOUT, removing).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(name = self.object.name, %error, "left a part of an object"),
            Err(_) => tracing::debug!(name = self.object.name, "left a part of an object"),
        }
    }

    async fn describe(&self, expected: Option<u64>) -> Result<(), Unstored> {
        let description = Description::of(self.store, self.object, &self.id, self.chunk_bytes);
        let mut message = PublishMessage::build()
            .payload(description.to_bytes().into())
            .header(header::ROLLUP, header::ROLLUP_SUBJECT);
        if let Some(expected) = expected {
            message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string().as_str());
        }
        if let Some(ttl) = self.ttl() {
            message = message.header(header::TTL, ttl.as_str());
        }
        publish(self.connection, &subject(self.store, self.object.name), message).await.map(drop)
    }

    fn ttl(&self) -> Option<String> {
        Some(ttl_seconds(self.object.ttl?.min(LONGEST_TTL)).to_string())
    }

    async fn send_chunks(&self) -> Result<(), ObjectError> {
        let subject = Names::object_chunks(self.store, &self.id);
        let sending = self.send_to(&subject);
        match self.connection.denials.or_denied(&subject, sending).await {
            Ok(sent) => sent,
            Err(text) => Err(ObjectError::Denied { name: self.object.name.to_owned(), text }),
        }
    }

    async fn send_to(&self, subject: &str) -> Result<(), ObjectError> {
        let ttl = self.ttl();
        let headers = ttl.as_deref().map(|ttl| Headers::of([(header::TTL, ttl)]));
        let headers = headers.transpose().expect("a number can stand in a header");
        let wire = self.connection.edge().await.map_err(|error| failed(self.object.name, error))?;
        self.unsettled.store(true, Ordering::Relaxed);
        let mut sending = Sending::default();
        let sent = self.send_each(wire, subject, headers.as_ref(), &mut sending).await;
        let rest = async {
            while let Some(mut answers) = sending.waiting.pop_front() {
                sending.untold |= sequence_of(answers.next().await).is_err_and(|why| why.is_unknown());
            }
        };
        // What was refused may make room for what is still on its way.
        let told = timeout(ANSWER_TIMEOUT, rest).await.is_ok() && !sending.untold;
        self.unsettled.store(!told, Ordering::Relaxed);
        sent
    }

    async fn send_each(
        &self,
        wire: &Wire,
        subject: &str,
        headers: Option<&Headers>,
        sending: &mut Sending,
    ) -> Result<(), ObjectError> {
        for chunk in self.object.bytes.chunks(self.chunk_bytes) {
            if sending.waiting.len() == IN_FLIGHT {
                self.take(sending).await?;
            }
            let asked = wire.ask_with(subject, headers, chunk, 1).await;
            sending.waiting.push_back(asked.map_err(|error| match error {
                SendError::TooLarge { .. } => self.unstored(Unstored::TooLarge),
                error => failed(self.object.name, error),
            })?);
        }
        while !sending.waiting.is_empty() {
            self.take(sending).await?;
        }
        Ok(())
    }

    /// The acknowledgement of the oldest chunk that waits for one. They are stored in their order, or they are no object.
    async fn take(&self, sending: &mut Sending) -> Result<(), ObjectError> {
        let Some(mut answers) = sending.waiting.pop_front() else { return Ok(()) };
        let sequence = sequence_of(answers.next().await).map_err(|unstored| {
            sending.untold |= unstored.is_unknown();
            self.unstored(unstored)
        })?;
        if sequence <= sending.last {
            return Err(failed(self.object.name, "its chunks were stored in another order"));
        }
        sending.last = sequence;
        Ok(())
    }
}

/// How far the sending of chunks has come.
#[derive(Default)]
struct Sending {
    /// For those that were sent, in order.
    waiting: VecDeque<Answers>,
    /// The sequence of the newest that is stored.
    last: u64,
    /// Whether it is not told of one what became of it.
    untold: bool,
}

#[derive(Deserialize)]
struct Stored {
    seq: u64,
}

/// The sequence of what was published, as its acknowledgement says.
fn sequence_of(answer: Option<nats_wire::Message>) -> Result<u64, Unstored> {
    let Some(answer) = answer else { return Err(Unstored::Unknown("the connection broke".to_owned())) };
    match api::read::<Stored>(&answer.payload) {
        Ok(Stored { seq }) => Ok(seq),
        Err(ApiError::Server { code, err_code, description }) => {
            Err(Unstored::from_code(err_code, code, format!("{description} ({err_code})")))
        }
        Err(error @ (ApiError::NoResponders | ApiError::Unanswered(_))) => {
            Err(Unstored::Unknown(error.to_string()))
        }
    }
}
