//! Subjects of JetStream's own API.

use super::deployment::Names;

/// What is asked of JetStream. `stream` is one of [`Names`]' own.
impl Names {
    /// Settings and state of a stream.
    #[must_use]
    pub fn stream_info(stream: &str) -> String {
        format!("$JS.API.STREAM.INFO.{stream}")
    }

    /// One message of a stream, from its leader.
    #[must_use]
    pub fn stream_message(stream: &str) -> String {
        format!("$JS.API.STREAM.MSG.GET.{stream}")
    }

    /// Messages of a stream, from whichever of its replicas.
    #[must_use]
    pub fn direct_messages(stream: &str) -> String {
        format!("$JS.API.DIRECT.GET.{stream}")
    }

    /// Deletes one message of a stream.
    #[must_use]
    pub fn stream_delete_message(stream: &str) -> String {
        format!("$JS.API.STREAM.MSG.DELETE.{stream}")
    }

    /// Removes messages of a stream.
    #[must_use]
    pub fn stream_purge(stream: &str) -> String {
        format!("$JS.API.STREAM.PURGE.{stream}")
    }
}
