//! The client's handle: subscribe, publish, ask.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use crate::answer::{Answer, Expected};
use crate::command::Command;
use crate::config::Config;
use crate::handshake::ConnectError;
use crate::header_block::HeaderBlock;
use crate::link::Link;
use crate::message::Message;
use crate::pending::Answers;
use crate::server_info::ServerInfo;
use crate::state::State;
use crate::subscription::Subscription;

const LINE_END: &[u8] = b"\r\n";
/// Commands that may wait for the connection's task. A caller with a further one waits for room.
const COMMANDS: usize = 1024;

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The client is not connected at the moment.
    #[error("there is no connection to NATS at the moment")]
    Disconnected,
    /// The message is larger than the server takes.
    #[error("{bytes} bytes are more than the {limit} that the server takes (its `max_payload`)")]
    TooLarge {
        /// The size of the headers and the payload.
        bytes: usize,
        /// The largest size that the server takes.
        limit: usize,
    },
    /// The text is not a subject to which a message can be sent.
    #[error("`{}` is no subject to send to", .0.escape_default())]
    Subject(String),
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// Nobody subscribes to the subject.
    #[error("nobody answers on `{0}`")]
    NoResponders(String),
    /// The connection broke, or no answer came in time. The request may have been received or not.
    #[error("no answer on `{0}`")]
    Unanswered(String),
}

/// A handle on a client, which reconnects when its connection breaks. It is cheap to clone. The client ends with its last
/// handle, subscription and request.
#[derive(Debug, Clone)]
pub struct Wire {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
    inbox_prefix: String,
    /// The inbox to which all answers to requests come.
    inbox: String,
    numbers: AtomicU64,
    /// Makes the numbers of requests of those that are counted.
    request_keys: RandomState,
}

impl Wire {
    /// Connects to one of the servers.
    ///
    /// # Errors
    ///
    /// No server could be connected to; the error is that of the last one. A server that refuses the credentials is the last
    /// one that is tried.
    #[expect(clippy::disallowed_methods, reason = "the connection's one task ends with its last handle")]
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let connection = Link::first(&config).await?;
        let (commands, received) = mpsc::channel(COMMANDS);
        let inbox = format!("{}.{}", config.inbox_prefix, random_name());
        let inbox_prefix = config.inbox_prefix.clone();
        let (mut link, state) = Link::new(config, inbox.clone(), received);
        // It begins before its task runs, so that the handle is connected as soon as the caller has it.
        link.begin(&connection);
        tokio::spawn(link.run(connection));
        let numbers = AtomicU64::new(Link::FIRST_NUMBER);
        Ok(Self {
            shared: Arc::new(Shared {
                commands,
                state,
                inbox_prefix,
                inbox,
                numbers,
                request_keys: RandomState::new(),
            }),
        })
    }

    /// Subscribes to a subject, alone or as a member of a queue group. There is room for `capacity` messages that nobody has
    /// taken yet; further ones are dropped and counted.
    pub async fn subscribe(
        &self,
        subject: impl Into<String>,
        queue: Option<&str>,
        capacity: usize,
    ) -> Subscription {
        let (sender, messages) = mpsc::channel(capacity.max(1));
        let sid = self.number();
        let missed = Arc::new(AtomicU64::new(0));
        let commands = self.shared.commands.clone();
        let subscribe = Command::Subscribe {
            sid,
            subject: subject.into(),
            queue: queue.map(ToOwned::to_owned),
            messages: sender,
            missed: missed.clone(),
        };
        // It cannot fail, because the connection's task lives as long as this handle.
        drop(commands.send(subscribe).await);
        Subscription { sid, messages, missed, commands }
    }

    /// A new subject for answers, which nobody else uses.
    #[must_use]
    pub fn new_inbox(&self) -> String {
        format!("{}.{}", self.shared.inbox_prefix, random_name())
    }

    /// Sends a message. Messages of one client reach the server in order; one that is under way when the connection breaks is
    /// lost without an error.
    ///
    /// # Errors
    ///
    /// The client is not connected, the message is too large, or the subject is not one.
    pub async fn publish(
        &self,
        subject: &str,
        reply: Option<&str>,
        headers: Option<&HeaderBlock>,
        payload: &[u8],
    ) -> Result<(), SendError> {
        // The connection may break after this check. The task then drops the message, like one that is under way.
        let bytes = self.publication(subject, reply, headers, payload)?;
        self.shared.commands.send(Command::Send(bytes)).await.map_err(|_| SendError::Disconnected)
    }

    /// Sends a request and waits for one answer.
    ///
    /// # Errors
    ///
    /// The request was not sent, nobody subscribes to the subject, or no answer came within `limit`.
    pub async fn request(
        &self,
        subject: &str,
        payload: &[u8],
        limit: Duration,
    ) -> Result<Message, RequestError> {
        // The limit counts from here: a server that takes its time may leave no room to send for as long.
        let answered = async { Ok::<_, SendError>(self.send_request(subject, None, payload).await?.await) };
        let answered = tokio::time::timeout(limit, answered).await;
        match answered.map_or(Ok(None), |answered| answered)? {
            // Whoever answers may set a status as well. The server's own answer has no payload.
            Some(message) if message.payload.is_empty() && message.status() == Some(503) => {
                Err(RequestError::NoResponders(subject.to_owned()))
            }
            Some(message) => Ok(message),
            None => Err(RequestError::Unanswered(subject.to_owned())),
        }
    }

    /// Sends a request that has one answer, and returns that answer to be awaited. Requests reach the server in the order in which
    /// they are sent, so that many can be under way.
    ///
    /// # Errors
    ///
    /// The request was not sent.
    pub async fn send_request(
        &self,
        subject: &str,
        headers: Option<&HeaderBlock>,
        payload: &[u8],
    ) -> Result<Answer, SendError> {
        let number = self.request_number();
        let reply = format!("{}.{number}", self.shared.inbox);
        let bytes = self.publication(subject, Some(&reply), headers, payload)?;
        let (answer, message) = oneshot::channel();
        let commands = self.shared.commands.clone();
        let asked = commands.send(Command::Request { number, answer, bytes }).await;
        asked.map_err(|_| SendError::Disconnected)?;
        Ok(Answer::new(number, message, commands))
    }

    /// Expects one message at a subject of this client's own, which anybody may be told. Unlike the answer to a request it may come
    /// over a later connection; what is sent while there is none is lost, as [`State::connects`] tells.
    pub async fn expect(&self) -> Expected {
        let number = self.request_number();
        let subject = format!("{}.{number}", self.shared.inbox);
        let (sender, message) = oneshot::channel();
        let commands = self.shared.commands.clone();
        // It cannot fail, because the connection's task lives as long as this handle.
        drop(commands.send(Command::Expect { number, message: sender }).await);
        Expected { subject, answer: Answer::new(number, message, commands) }
    }

    /// Sends a request that may have many answers. There is room for `capacity` of them that nobody has taken yet; further ones
    /// are dropped.
    ///
    /// # Errors
    ///
    /// The request was not sent.
    pub async fn ask(&self, subject: &str, payload: &[u8], capacity: usize) -> Result<Answers, SendError> {
        let number = self.request_number();
        let reply = format!("{}.{number}", self.shared.inbox);
        let bytes = self.publication(subject, Some(&reply), None, payload)?;
        let (answers, messages) = mpsc::channel(capacity.max(1));
        let commands = self.shared.commands.clone();
        let asked = commands.send(Command::Ask { number, answers, bytes }).await;
        asked.map_err(|_| SendError::Disconnected)?;
        Ok(Answers { number, messages, commands })
    }

    /// Waits until the server has handled everything that this client sent before.
    ///
    /// # Errors
    ///
    /// The client is not connected, or the connection broke before the server's answer.
    pub async fn flush(&self) -> Result<(), SendError> {
        let (flushed, done) = oneshot::channel();
        let sent = self.shared.commands.send(Command::Flush(flushed)).await;
        sent.map_err(|_| SendError::Disconnected)?;
        done.await.map_err(|_| SendError::Disconnected)
    }

    /// Waits until the client is connected. Returns false where it never will be, because the runtime of its task has ended.
    pub async fn connected(&self) -> bool {
        if self.shared.commands.is_closed() {
            return false;
        }
        let mut state = self.shared.state.clone();
        state.wait_for(|state| state.connected).await.is_ok()
    }

    /// Whether the client is connected at the moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.state.borrow().connected
    }

    /// What the server of the newest connection announced about itself.
    #[must_use]
    pub fn server_info(&self) -> ServerInfo {
        self.shared.state.borrow().info.clone()
    }

    /// A receiver that wakes at each later change of the connection's state.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<State> {
        let mut changes = self.shared.state.clone();
        // A clone of the handle's receiver has seen no state yet, and would wake at once for a change of the past.
        changes.mark_unchanged();
        changes
    }

    /// A number that nobody can tell from those of other requests: whoever sees one answer must not be able to forge another.
    fn request_number(&self) -> u64 {
        self.shared.request_keys.hash_one(self.number())
    }

    fn number(&self) -> u64 {
        self.shared.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The bytes of a message for the server.
    fn publication(
        &self,
        subject: &str,
        reply: Option<&str>,
        headers: Option<&HeaderBlock>,
        payload: &[u8],
    ) -> Result<Bytes, SendError> {
        for name in std::iter::once(subject).chain(reply) {
            // A space or a line end would be read by the server as further arguments or commands.
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(SendError::Subject(name.to_owned()));
            }
        }
        let limit = {
            let state = self.shared.state.borrow();
            if !state.connected {
                return Err(SendError::Disconnected);
            }
            state.info.max_payload
        };
        let headers = headers.filter(|headers| !headers.is_empty());
        // The empty line that ends the headers is not part of the block's lines.
        let header_bytes = headers.map_or(0, |headers| headers.lines().len() + LINE_END.len());
        let bytes = header_bytes + payload.len();
        // The server ends the connection of a client that sends more, and with it every subscription of that client.
        if bytes > limit {
            return Err(SendError::TooLarge { bytes, limit });
        }
        // Without a reply two spaces follow each other, which the server reads as one.
        let reply = reply.unwrap_or_default();
        let mut message = Vec::with_capacity(bytes + subject.len() + reply.len() + 48);
        // Writing to a vector cannot fail.
        drop(match headers {
            Some(_) => write!(message, "HPUB {subject} {reply} {header_bytes} {bytes}\r\n"),
            None => write!(message, "PUB {subject} {reply} {bytes}\r\n"),
        });
        if let Some(headers) = headers {
            message.extend_from_slice(headers.lines().as_bytes());
            message.extend_from_slice(LINE_END);
        }
        message.extend_from_slice(payload);
        message.extend_from_slice(LINE_END);
        Ok(message.into())
    }
}

fn random_name() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("an operating system without random bits cannot keep inboxes apart");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
