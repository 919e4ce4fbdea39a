//! Addresses of servers.

use wasmhost_nats::check_url;

/// The address of a server, or those of several.
pub(crate) fn parse_url(text: &str) -> Result<String, String> {
    check_url(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}
