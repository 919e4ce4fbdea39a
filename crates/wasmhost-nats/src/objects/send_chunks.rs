//! Sending the chunks of an upload, each acknowledged.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use nats_wire::{Answers, Headers, SendError, Wire};
use serde::Deserialize;
use tokio::time::timeout;
use wasmhost_protocol::names::{Names, header};

use super::error::{ObjectError, failed};
use super::upload::Upload;
use crate::api::{self, ApiError};
use crate::connect::ANSWER_TIMEOUT;
use crate::publish_failure::Unstored;

/// Chunks that may wait for their acknowledgement at a time.
const IN_FLIGHT: usize = 4;

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
