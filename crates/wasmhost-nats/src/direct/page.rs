//! Pages of messages, in the order in which they were stored.

use serde_json::{Value, json};

use super::request::{Batch, batch, one};
use crate::connect::Connection;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// Messages asked for in one request.
const AT_A_TIME: usize = 256;
/// Bytes that one request may bring, unless its first message alone has more.
const BYTES_AT_A_TIME: usize = 8 << 20;

/// What a look brought.
pub(crate) struct Page {
    pub(crate) messages: Vec<StoredMessage>,
    /// Where the next look starts; none: there was no more.
    pub(crate) next: Option<u64>,
}

/// The messages from `from` on whose subject matches, in order, as many as one request brings. The server counts what matches
/// behind them: for subjects with few messages, or streams that hold few in all.
pub(crate) async fn page(
    connection: &Connection,
    stream: &str,
    subject: &str,
    from: u64,
) -> Result<Page, ReadError> {
    let request = json!({ "seq": from.max(1), "next_by_subj": subject, "batch": AT_A_TIME, "max_bytes": BYTES_AT_A_TIME });
    following(connection, stream, subject, &request).await
}

/// The newest message of each subject that matches, in the order in which they were stored. For filters that match thousands at
/// most.
pub(crate) async fn newest(
    connection: &Connection,
    stream: &str,
    filter: &str,
) -> Result<Vec<StoredMessage>, ReadError> {
    let (mut messages, mut from) = (Vec::new(), 1);
    while let Some(batch) =
        batch(connection, stream, filter, &json!({ "multi_last": [filter], "seq": from })).await?
    {
        messages.extend(batch.messages);
        from = match messages.last() {
            Some(last) if batch.left > 0 => last.sequence + 1,
            _ => return Ok(messages),
        };
    }
    // More subjects than one request may name: all messages, of which the newest are kept.
    let (mut newest, mut from) = (std::collections::HashMap::new(), Some(1));
    while let Some(at) = from {
        let Page { messages, next } = page(connection, stream, filter, at).await?;
        newest.extend(messages.into_iter().map(|message| (message.subject.clone(), message)));
        from = next;
    }
    let mut newest: Vec<_> = newest.into_values().collect();
    newest.sort_by_key(|message: &StoredMessage| message.sequence);
    Ok(newest)
}

/// All messages from `from` on, of whichever subject, in order, as many as one request brings. What one costs does not grow
/// with the stream: without a subject the server counts whole blocks, not messages.
pub(crate) async fn all(connection: &Connection, stream: &str, from: u64) -> Result<Page, ReadError> {
    let request = json!({ "seq": from.max(1), "batch": AT_A_TIME, "max_bytes": BYTES_AT_A_TIME });
    following(connection, stream, stream, &request).await
}

async fn following(
    connection: &Connection,
    stream: &str,
    what: &str,
    request: &Value,
) -> Result<Page, ReadError> {
    let Some(Batch { messages, left }) = batch(connection, stream, what, request).await? else {
        return Ok(Page { messages: Vec::new(), next: None });
    };
    let next = messages.last().map(|message| message.sequence + 1).filter(|_| left > 0);
    Ok(Page { messages, next })
}

/// The first message from `from` on whose subject matches.
pub(crate) async fn first(
    connection: &Connection,
    stream: &str,
    subject: &str,
    from: u64,
) -> Result<Option<StoredMessage>, ReadError> {
    one(connection, stream, &json!({ "seq": from.max(1), "next_by_subj": subject })).await
}
