//! Subjects of JetStream's own API.

use super::deployment::Names;

/// Subjects of requests to JetStream. `stream` is a name that another method of [`Names`] returns.
impl Names {
    /// Returns the subject of requests for what the account may store, which every server with JetStream answers.
    #[must_use]
    pub fn account_info() -> String {
        "$JS.API.INFO".to_owned()
    }

    /// Returns the subject of requests for the settings and the state of a stream.
    #[must_use]
    pub fn stream_info(stream: &str) -> String {
        format!("$JS.API.STREAM.INFO.{stream}")
    }

    /// Returns the subject of requests for one message of a stream, which its leader answers.
    #[must_use]
    pub fn stream_message(stream: &str) -> String {
        format!("$JS.API.STREAM.MSG.GET.{stream}")
    }

    /// Returns the subject of direct requests for messages of a stream, which any of its replicas answers,
    /// even one that lags.
    #[must_use]
    pub fn direct_messages(stream: &str) -> String {
        format!("$JS.API.DIRECT.GET.{stream}")
    }

    /// Returns the subject of requests to delete one message of a stream.
    #[must_use]
    pub fn stream_delete_message(stream: &str) -> String {
        format!("$JS.API.STREAM.MSG.DELETE.{stream}")
    }

    /// Returns the subject of requests to purge messages of a stream.
    #[must_use]
    pub fn stream_purge(stream: &str) -> String {
        format!("$JS.API.STREAM.PURGE.{stream}")
    }
}
