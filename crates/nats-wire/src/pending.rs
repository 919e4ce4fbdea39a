//! Requests that wait for their answers: all answers come to one inbox, told apart by a number.

use std::collections::HashMap;

use tokio::sync::mpsc;

use crate::link::Command;
use crate::message::Message;

/// The answers to one request, until dropped.
#[derive(Debug)]
pub struct Answers {
    pub(crate) number: u64,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Answers {
    /// The next answer; none when the connection broke: what was asked is not known to have been heard. Whoever knows how
    /// many there are stops asking; this does not. Safe to drop.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // Without room for the word the next answer finds nobody, or the next break forgets it.
        drop(self.commands.try_send(Command::Forget { number: self.number }));
    }
}

/// Who waits for which answers.
#[derive(Debug, Default)]
pub(crate) struct Pending(HashMap<u64, mpsc::Sender<Message>>);

impl Pending {
    pub(crate) fn add(&mut self, number: u64, answers: mpsc::Sender<Message>) {
        self.0.insert(number, answers);
    }

    pub(crate) fn forget(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// Everybody is told that no answer comes.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Passes an answer on. One that nobody waits for is dropped, as is one for which there is no room.
    pub(crate) fn answered(&mut self, message: Message) {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        let Some(number) = number else { return };
        if let Some(asker) = self.0.get(&number)
            && let Err(mpsc::error::TrySendError::Closed(_)) = asker.try_send(message)
        {
            self.0.remove(&number);
        }
    }
}
