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
#[derive(Debug)]
pub(crate) struct Pending {
    askers: HashMap<u64, Asker>,
    /// With so many askers, those that have ended are looked for.
    full: usize,
}

/// The number of askers up to which none that has ended is looked for.
const FEW: usize = 1024;

/// Whoever waits for the answers to a request.
#[derive(Debug)]
pub(crate) enum Asker {
    /// It takes one answer.
    One(oneshot::Sender<Message>),
    /// It takes answers until it ends.
    Many(mpsc::Sender<Message>),
    /// It takes one message, which may come over a later connection.
    Expected(oneshot::Sender<Message>),
}

impl Asker {
    /// Whether whoever asked has ended.
    fn has_ended(&self) -> bool {
        match self {
            Self::One(answer) | Self::Expected(answer) => answer.is_closed(),
            Self::Many(answers) => answers.is_closed(),
        }
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self { askers: HashMap::new(), full: FEW }
    }
}

impl Pending {
    /// Adds a request.
    pub(crate) fn add(&mut self, number: u64, asker: Asker) {
        if self.askers.len() >= self.full {
            // Who ends while there is no room for a command cannot say so.
            self.askers.retain(|_, asker| !asker.has_ended());
            self.full = FEW.max(2 * self.askers.len());
        }
        self.askers.insert(number, asker);
    }

    /// Ends a request.
    pub(crate) fn forget(&mut self, number: u64) {
        self.askers.remove(&number);
    }

    /// Ends all requests, because no answer can come any more. What is expected may still come.
    pub(crate) fn clear(&mut self) {
        self.askers.retain(|_, asker| matches!(asker, Asker::Expected(_)) && !asker.has_ended());
    }

    /// Passes an answer to its request. It is dropped where no such request waits, or has no room.
    pub(crate) fn answered(&mut self, message: Message) {
        // Others may publish to the inbox too: a last token that is no number belongs to no request.
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        let Some(number) = number else { return };
        let Some(asker) = self.askers.remove(&number) else { return };
        match asker {
            // Whoever asked may have ended meanwhile.
            Asker::One(answer) | Asker::Expected(answer) => drop(answer.send(message)),
            Asker::Many(answers) => {
                if !matches!(answers.try_send(message), Err(mpsc::error::TrySendError::Closed(_))) {
                    self.askers.insert(number, Asker::Many(answers));
                }
            }
        }
    }
}
