//! What all requests to a service have in common.

use nats_wire::Message;
use wasmhost_nats::limited;
use wasmhost_protocol::text::escape;

use crate::host::Host;

/// Where the request may be answered: at an inbox. A reply anywhere else would be written with the rights of the host.
pub(super) fn inbox_of<'a>(host: &Host, request: &'a Message) -> Option<&'a str> {
    let inbox = request.reply.as_deref().filter(|reply| host.storage.connection.names.is_inbox(reply));
    if inbox.is_none() {
        limited!(warn, subject = escape(&request.subject), "a request whose reply is no inbox");
    }
    inbox
}
