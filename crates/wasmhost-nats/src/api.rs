//! Requests to JetStream's API whose answer is JSON. Bytes that strangers wrote come in base64 within the answer, so
//! that they cannot end the connection over which records are written
//! ([fact 30](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#f30)).

use nats_wire::{Message, RequestError, SendError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::connect::{ANSWER_TIMEOUT, Connection};

/// Why JetStream did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ApiError {
    /// The server refuses the request.
    #[error("{description} ({err_code})")]
    Server {
        /// The status, as in HTTP.
        code: usize,
        /// The error code of JetStream.
        err_code: u64,
        /// The server's description.
        description: String,
    },
    /// The connection's user lacks a permission; this is the server's description.
    #[error("{0}")]
    Denied(String),
    /// Nothing is subscribed to the API, as where JetStream is off.
    #[error("the server has no JetStream")]
    NoResponders,
    /// There is no answer, or one that cannot be read.
    #[error("{0}")]
    Unanswered(String),
}

impl ApiError {
    /// The error code of JetStream; none where the server did not answer.
    pub(crate) fn code(&self) -> Option<u64> {
        match self {
            Self::Server { err_code, .. } => Some(*err_code),
            Self::Denied(_) | Self::NoResponders | Self::Unanswered(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: ErrorBody,
}

#[derive(Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    pub(crate) code: usize,
    #[serde(default)]
    pub(crate) err_code: u64,
    #[serde(default)]
    pub(crate) description: String,
}

/// Sends a request, and reads its answer. A denial takes the place of the answer that will never come.
pub(crate) async fn request<T: DeserializeOwned>(
    connection: &Connection,
    subject: String,
    body: impl Serialize,
) -> Result<T, ApiError> {
    let body = serde_json::to_vec(&body).expect("a request can be written as JSON");
    // Boxed, since no job asks for anything on its common path, and its future has room for all that it may await.
    let answer = Box::pin(ask(connection, &subject, &body)).await?;
    parse(&answer.payload)
}

async fn ask(connection: &Connection, subject: &str, body: &[u8]) -> Result<Message, ApiError> {
    let wire = connection.records().await.map_err(|error| ApiError::Unanswered(error.to_string()))?;
    let answer = async {
        let until = Instant::now() + ANSWER_TIMEOUT;
        loop {
            match wire.request(subject, body, until - Instant::now()).await {
                // Nothing was sent: the request may wait for the next connection.
                Err(RequestError::Send(SendError::Disconnected))
                    if timeout_at(until, wire.connected()).await == Ok(true) => {}
                answer => return answer,
            }
        }
    };
    match connection.denials.or_denied(subject, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(RequestError::NoResponders(_))) => Err(ApiError::NoResponders),
        Ok(Err(error)) => Err(ApiError::Unanswered(error.to_string())),
        Err(denial) => Err(ApiError::Denied(denial)),
    }
}

/// Reads an answer.
pub(crate) fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, ApiError> {
    // An error is looked for first: some types, such as `IgnoredAny`, can be read from any JSON.
    if let Ok(ErrorResponse { error: ErrorBody { code, err_code, description } }) =
        serde_json::from_slice(answer)
    {
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
            parse::<serde_json::Value>(br#"{"error":{"code":404,"err_code":10037,"description":"no"}}"#);
        assert_eq!(error.unwrap_err().code(), Some(10037));
        assert_eq!(parse::<Vec<u8>>(b"[1]").unwrap(), [1]);
        assert!(matches!(parse::<Vec<u8>>(b"x"), Err(ApiError::Unanswered(_))));
    }
}
