//! Requests to JetStream whose answer is JSON: what strangers wrote comes within it, and cannot break the connection.

use async_nats::RequestErrorKind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::connect::Connection;

/// Why JetStream did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ApiError {
    /// It says why.
    #[error("{description} ({err_code})")]
    Server {
        /// The kind of error, as HTTP has it.
        code: usize,
        /// The error.
        err_code: u64,
        /// In words.
        description: String,
    },
    /// Nobody answers for JetStream.
    #[error("nobody answers for JetStream")]
    NoResponders,
    /// No answer, or one that cannot be read.
    #[error("{0}")]
    Unanswered(String),
}

impl ApiError {
    /// The server's number of the error.
    pub(crate) fn code(&self) -> Option<u64> {
        match self {
            Self::Server { err_code, .. } => Some(*err_code),
            Self::NoResponders | Self::Unanswered(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Failed {
    error: Error,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    code: usize,
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// Asks, and reads the answer.
pub(crate) async fn ask<T: DeserializeOwned>(
    connection: &Connection,
    subject: String,
    body: impl Serialize,
) -> Result<T, ApiError> {
    let body = serde_json::to_vec(&body).expect("a request can be written as JSON");
    let answer =
        connection.client.request(subject, body.into()).await.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => ApiError::NoResponders,
            _ => ApiError::Unanswered(error.to_string()),
        })?;
    read(&answer.payload)
}

/// Reads an answer.
pub(crate) fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, ApiError> {
    if let Ok(Failed { error: Error { code, err_code, description } }) = serde_json::from_slice(answer) {
        return Err(ApiError::Server { code, err_code, description });
    }
    serde_json::from_slice(answer)
        .map_err(|error| ApiError::Unanswered(format!("unreadable answer: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_an_answer() {
        let error =
            read::<serde_json::Value>(br#"{"error":{"code":404,"err_code":10037,"description":"no"}}"#);
        assert_eq!(error.unwrap_err().code(), Some(10037));
        assert_eq!(read::<Vec<u8>>(b"[1]").unwrap(), [1]);
        assert!(matches!(read::<Vec<u8>>(b"x"), Err(ApiError::Unanswered(_))));
    }
}
