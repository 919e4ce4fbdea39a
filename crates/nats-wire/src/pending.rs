//! Requests that wait for answers. All answers come to one inbox, where the last token of the subject is the request's
//! number.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};

use crate::command::Command;
use crate::message::Message;

/// The answers to one request. Dropping it ends the request.
#[derive(Debug)]
pub struct Answers {
    pub(crate) number: u64,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Answers {
    /// Waits for the next answer; none when the connection broke, in which case the request may have been received or not. It
    /// does not end by itself: the caller has to know how many answers there are. The future is safe to drop.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // If the channel is full, the next answer or the next broken connection ends the request.
        drop(self.commands.try_send(Command::Forget { number: self.number }));
    }
}

/// The requests that wait for answers.
#[derive(Debug, Default)]
pub(crate) struct Pending(HashMap<u64, Asker>);

/// Whoever waits for the answers to a request.
#[derive(Debug)]
pub(crate) enum Asker {
    /// It takes one answer.
    One(oneshot::Sender<Message>),
    /// It takes answers until it ends.
    Many(mpsc::Sender<Message>),
}

impl Pending {
    /// Adds a request.
    pub(crate) fn add(&mut self, number: u64, asker: Asker) {
        self.0.insert(number, asker);
    }

    /// Ends a request.
    pub(crate) fn forget(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// Ends all requests, because no answer can come any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Passes an answer to its request. It is dropped where no such request waits, or has no room.
    pub(crate) fn answered(&mut self, message: Message) {
        // Others may publish to the inbox too: a last token that is no number belongs to no request.
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        let Some(number) = number else { return };
        let Some(asker) = self.0.remove(&number) else { return };
        match asker {
            // Whoever asked may have ended meanwhile.
            Asker::One(answer) => drop(answer.send(message)),
            Asker::Many(answers) => {
                if !matches!(answers.try_send(message), Err(mpsc::error::TrySendError::Closed(_))) {
                    self.0.insert(number, Asker::Many(answers));
                }
            }
        }
    }
}
