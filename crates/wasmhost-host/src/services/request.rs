//! What all requests to a service have in common.

use nats_wire::Message;
use wasmhost_nats::limited;
use wasmhost_protocol::ids::Inbox;
use wasmhost_protocol::text::escape;

/// Returns the inbox at which a request is answered; none where its reply is no inbox. Such a request is not answered at all: the
/// reply would be written with the rights of the host, wherever the requester wants it.
pub(super) fn reply_inbox(request: &Message) -> Option<&str> {
    let inbox = request.reply.as_deref().filter(|reply| Inbox::parse(reply).is_ok());
    if inbox.is_none() {
        limited!(warn, subject = escape(&request.subject), "a request whose reply is no inbox");
    }
    inbox
}
