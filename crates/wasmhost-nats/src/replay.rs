//! What a stream holds on some subjects when asked, in order, and then an end.

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use wasmhost_protocol::Timestamp;

use crate::clock::timestamp;
use crate::codes::consumer_refusal;
use crate::{ANSWER_TIMEOUT, Connection, ReadError};

/// A message of a replay.
pub(crate) struct Replayed {
    pub(crate) subject: String,
    pub(crate) sequence: u64,
    pub(crate) stored_at: Timestamp,
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) payload: Bytes,
    /// Messages that are left after this one.
    pub(crate) left: u64,
}

/// What is replayed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replay<'a> {
    pub(crate) stream: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) from: DeliverPolicy,
    pub(crate) content: Content,
}

impl<'a> Replay<'a> {
    /// Whole messages.
    pub(crate) fn whole(stream: &'a str, subject: &'a str, from: DeliverPolicy) -> Self {
        Self { stream, subject, from, content: Content::Whole }
    }
}

/// How much of each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Whole,
    Headers,
}

/// Replays up to what the stream holds now.
pub(crate) async fn replay(
    connection: &Connection,
    wanted: Replay<'_>,
) -> Result<BoxStream<'static, Result<Replayed, ReadError>>, ReadError> {
    let (count, messages) = open(connection, wanted).await?;
    if count == 0 {
        return Ok(futures::stream::empty().boxed());
    }
    let subject = wanted.subject.to_owned();
    let ended =
        futures::stream::unfold((messages, subject, false), |(mut messages, subject, ended)| async move {
            if ended {
                return None;
            }
            // What was counted may be removed before it is delivered: then no last message says that it is the last.
            let message = match tokio::time::timeout(ANSWER_TIMEOUT, messages.next()).await {
                Ok(message) => message?,
                Err(_) => {
                    let text = "no message in time".to_owned();
                    Err(ReadError::Unreachable { subject: subject.clone(), text })
                }
            };
            let last = message.as_ref().map_or(true, |message| message.left == 0);
            Some((message, (messages, subject, last)))
        });
    Ok(ended.boxed())
}

/// The same without an end: what comes later follows. Also says how many messages there are now.
pub(crate) async fn open(
    connection: &Connection,
    Replay { stream, subject, from, content }: Replay<'_>,
) -> Result<(u64, BoxStream<'static, Result<Replayed, ReadError>>), ReadError> {
    let unreachable = {
        let subject = subject.to_owned();
        move |text: String| ReadError::Unreachable { subject: subject.clone(), text }
    };
    let answer = async {
        let stream_name = stream;
        let stream = connection.jetstream.get_stream_no_info(stream).await.map_err(|e| e.to_string())?;
        let config = pull::OrderedConfig {
            filter_subject: subject.to_owned(),
            deliver_policy: from,
            headers_only: content == Content::Headers,
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| match error.kind() {
            ConsumerErrorKind::JetStream(server) => consumer_refusal(stream_name, &server),
            _ => error.to_string(),
        })?;
        let count = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|e| e.to_string())?;
        Ok((count, messages))
    };
    let (count, messages) = match connection.denials.or_denied(stream, answer).await {
        Ok(answer) => answer.map_err(&unreachable)?,
        Err(text) => return Err(ReadError::Denied { subject: subject.to_owned(), text }),
    };
    let messages = messages
        .map_err(|error| error.to_string())
        .and_then(|message| std::future::ready(replayed(message)))
        .map_err(unreachable);
    Ok((count, messages.boxed()))
}

fn replayed(message: async_nats::jetstream::Message) -> Result<Replayed, String> {
    let info = message.info().map_err(|error| error.to_string())?;
    let (sequence, stored_at, left) = (info.stream_sequence, timestamp(info.published), info.pending);
    let message = message.message;
    Ok(Replayed {
        subject: message.subject.to_string(),
        sequence,
        stored_at,
        headers: message.headers,
        payload: message.payload,
        left,
    })
}
