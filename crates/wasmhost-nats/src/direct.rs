//! Direct reads of many messages at once, from whichever replica answers. They need no consumer, so that nothing on the
//! server grows with the number of readers. A replica may lag behind its leader: what must be exact is read with
//! `message::read`.

mod page;
mod request;

pub(crate) use page::{all, first, newest, page};
pub(crate) use request::each;
