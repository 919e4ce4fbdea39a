//! A denial that takes the place of an answer.

use std::future::Future;

use super::error::LayoutError;
use crate::connect::Connection;

/// The answer, or the denial that took its place.
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
