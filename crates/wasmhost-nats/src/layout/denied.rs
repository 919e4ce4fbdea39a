//! Requests about a stream or a consumer, which a denial may answer.

use std::future::Future;

use super::error::LayoutError;
use crate::connect::Connection;

/// Waits for the answer to requests about `object`, or for the denial that takes its place. async-nats chooses the
/// subjects of its requests itself, so that the denial is recognised by the name of the object in it.
pub(super) async fn denied<T>(
    connection: &Connection,
    object: &str,
    answer: impl Future<Output = Result<T, LayoutError>>,
) -> Result<T, LayoutError> {
    match connection.denials.or_mentioned(object, answer).await {
        Ok(answer) => answer,
        Err(text) => Err(LayoutError::Denied { object: object.to_owned(), text }),
    }
}
