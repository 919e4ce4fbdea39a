//! Pages of messages, in the order in which they were stored.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::request::{Batch, batch, one};
use crate::connect::Connection;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// How many messages one request asks for.
const PAGE_MESSAGES: usize = 256;
/// How many bytes one request may bring, unless its first message alone has more.
const PAGE_BYTES: usize = 8 << 20;

/// The messages that one request brought.
pub(crate) struct Page {
    pub(crate) messages: Vec<StoredMessage>,
    /// The sequence at which the next page starts; none: this one was the last.
    pub(crate) next: Option<u64>,
}

/// Reads a page of the messages from `from` on whose subject matches.
///
/// The server counts all that matches behind the page
/// ([fact 22](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#f22)), so that this is for subjects with
/// few messages, or for streams that hold few in all.
pub(crate) async fn page(
    connection: &Connection,
    stream: &str,
    subject: &str,
    from: u64,
) -> Result<Page, ReadError> {
    let body = json!({ "seq": from.max(1), "next_by_subj": subject, "batch": PAGE_MESSAGES, "max_bytes": PAGE_BYTES });
    page_of(connection, stream, subject, &body).await
}

/// Reads a page of the messages from `from` on, of whichever subject. What a page costs does not grow with the stream.
pub(crate) async fn all(connection: &Connection, stream: &str, from: u64) -> Result<Page, ReadError> {
    // Without a subject the server counts what is behind the page by whole blocks, not by messages.
    let body = json!({ "seq": from.max(1), "batch": PAGE_MESSAGES, "max_bytes": PAGE_BYTES });
    page_of(connection, stream, stream, &body).await
}

/// Reads the first message from `from` on whose subject matches.
pub(crate) async fn first(
    connection: &Connection,
    stream: &str,
    subject: &str,
    from: u64,
) -> Result<Option<StoredMessage>, ReadError> {
    one(connection, stream, &json!({ "seq": from.max(1), "next_by_subj": subject })).await
}

/// Reads the newest message of each subject that matches, in the order in which they were stored. It is for filters
/// that match thousands of subjects at most.
pub(crate) async fn newest(
    connection: &Connection,
    stream: &str,
    filter: &str,
) -> Result<Vec<StoredMessage>, ReadError> {
    let mut messages = Vec::new();
    let mut from = 1;
    while let Some(batch) =
        batch(connection, stream, filter, &json!({ "multi_last": [filter], "seq": from })).await?
    {
        messages.extend(batch.messages);
        from = match messages.last() {
            Some(last) if batch.left > 0 => last.sequence + 1,
            _ => return Ok(messages),
        };
    }
    // The server refuses a filter that matches more than 1,024 subjects.
    newest_of_all(connection, stream, filter).await
}

/// The same from all messages that match, of which the newest of each subject are kept.
async fn newest_of_all(
    connection: &Connection,
    stream: &str,
    filter: &str,
) -> Result<Vec<StoredMessage>, ReadError> {
    let mut newest = HashMap::new();
    let mut next = Some(1);
    while let Some(from) = next {
        let page = page(connection, stream, filter, from).await?;
        newest.extend(page.messages.into_iter().map(|message| (message.subject.clone(), message)));
        next = page.next;
    }
    let mut newest: Vec<_> = newest.into_values().collect();
    newest.sort_by_key(|message| message.sequence);
    Ok(newest)
}

/// `what` names what is read in an error.
async fn page_of(connection: &Connection, stream: &str, what: &str, body: &Value) -> Result<Page, ReadError> {
    let Some(Batch { messages, left }) = batch(connection, stream, what, body).await? else {
        return Ok(Page { messages: Vec::new(), next: None });
    };
    let next = messages.last().map(|message| message.sequence + 1).filter(|_| left > 0);
    Ok(Page { messages, next })
}
