//! Many messages of a stream at once, from whichever replica answers: no consumer, and nothing on the server but the
//! requests. A replica may be a moment behind its leader; what must be exact is read with `message::read`.

mod page;
mod request;

pub(crate) use page::{all, first, newest, page};
