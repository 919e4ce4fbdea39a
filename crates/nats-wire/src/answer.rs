//! The one answer to a request, and the one message that is expected at a subject.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::{mpsc, oneshot};

use crate::command::Command;
use crate::message::Message;

/// The one answer to a request that was sent: none when the connection broke, in which case the request may have been received or
/// not. It does not end by itself. Dropping it ends the request.
#[derive(Debug)]
#[must_use = "a request is ended when its answer is dropped"]
pub struct Answer {
    number: u64,
    /// None once the answer has come.
    message: Option<oneshot::Receiver<Message>>,
    commands: mpsc::Sender<Command>,
}

impl Answer {
    pub(crate) fn new(
        number: u64,
        message: oneshot::Receiver<Message>,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        Self { number, message: Some(message), commands }
    }
}

impl Future for Answer {
    type Output = Option<Message>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let Some(receiver) = &mut self.message else { return Poll::Ready(None) };
        let message = ready!(Pin::new(receiver).poll(context));
        self.message = None;
        Poll::Ready(message.ok())
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // Most answers have come by now. If the channel is full, an answer or a broken connection ends the request.
        if self.message.is_some() {
            drop(self.commands.try_send(Command::Forget { number: self.number }));
        }
    }
}

/// The one message that is expected at a subject: none where the client has ended. Dropping it ends the expectation.
#[derive(Debug)]
pub struct Expected {
    pub(crate) subject: String,
    pub(crate) answer: Answer,
}

impl Expected {
    /// The subject at which the message is expected.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl Future for Expected {
    type Output = Option<Message>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.answer).poll(context)
    }
}
