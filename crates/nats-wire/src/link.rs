//! The connection's task: it reads, writes, pings and reconnects. Subscriptions outlive a connection. What was asked or sent on
//! a connection that broke is lost, and requests that wait for an answer end.

mod listeners;
mod liveness;
mod reconnect;

use std::collections::VecDeque;
use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};

use crate::address::Address;
use crate::command::Command;
use crate::config::{Config, Notice};
use crate::frame::{self, ServerOp};
use crate::handshake::{ConnectError, Established};
use crate::message::Message;
use crate::pending::{Asker, Pending};
use crate::server_info::ServerInfo;
use crate::state::State;
use listeners::{Listener, Listeners};
use liveness::Liveness;

/// While the server has not taken this many bytes, no more commands are accepted.
const UNSENT_BYTES: usize = 8 << 20;
/// The room that is made for what comes next. The server writes up to 64 KiB at a time.
const READ_BYTES: usize = 32 << 10;
/// The id of the subscription for answers to requests.
const INBOX_SID: u64 = 1;

/// Why a connection is no longer served.
enum Ended {
    /// The last handle was dropped.
    Dropped,
    /// The connection broke, for this reason.
    Broken(String),
}

/// What the answer to a ping means.
enum Pong {
    /// The server is there.
    Alive,
    /// The server has handled everything before a flush.
    Flushed(oneshot::Sender<()>),
    /// Everything has come that the server sent for this subscription.
    Drained(u64),
}

/// The client's side of its connection, over all reconnects.
pub(crate) struct Link {
    config: Config,
    servers: Vec<Address>,
    inbox: String,
    commands: mpsc::Receiver<Command>,
    state: watch::Sender<State>,
    listeners: Listeners,
    pending: Pending,
    pongs: VecDeque<Pong>,
    unsent: BytesMut,
    liveness: Liveness,
}

impl Link {
    /// The first id that a subscription or a request may have.
    pub(crate) const FIRST_NUMBER: u64 = INBOX_SID + 1;

    pub(crate) fn new(
        config: Config,
        inbox: String,
        commands: mpsc::Receiver<Command>,
    ) -> (Self, watch::Receiver<State>) {
        let (state, states) = watch::channel(State::default());
        let link = Self {
            servers: config.servers.clone(),
            config,
            inbox,
            commands,
            state,
            listeners: Listeners::default(),
            pending: Pending::default(),
            pongs: VecDeque::new(),
            unsent: BytesMut::new(),
            liveness: Liveness::new(),
        };
        (link, states)
    }

    /// Makes the first connection. Each server is tried once.
    pub(crate) async fn first(config: &Config) -> Result<Established, ConnectError> {
        reconnect::try_each(config, &config.servers).await
    }

    /// Serves the first connection, after [`Self::begin`], and all later ones, until the last handle is dropped.
    pub(crate) async fn run(mut self, connection: Established) {
        let mut connection = connection;
        loop {
            match self.serve(connection).await {
                Ended::Dropped => return,
                Ended::Broken(why) => self.on_disconnect(why),
            }
            connection = match self.connect_again().await {
                Some(connection) => connection,
                None => return,
            };
            self.begin(&connection);
        }
    }

    /// Reconnects; none where the last handle was dropped meanwhile.
    async fn connect_again(&mut self) -> Option<Established> {
        let config = self.config.clone();
        let servers = self.servers.clone();
        let mut connecting = std::pin::pin!(reconnect::until_connected(&config, &servers));
        // Commands are taken all the time, so that a caller fails at once and does not wait for room in their
        // channel. Both arms are safe to drop: the attempt to connect is kept outside of the loop, and a command that
        // was not taken stays.
        loop {
            tokio::select! {
                established = &mut connecting => return Some(established),
                command = self.commands.recv() => self.execute_without_connection(command?),
            }
        }
    }

    /// Subscribes on a new connection, and publishes its state.
    pub(crate) fn begin(&mut self, connection: &Established) {
        self.discover(&connection.info);
        // No request reaches the server before the inbox is subscribed to.
        self.queue_write(&format!("SUB {}.* {INBOX_SID}\r\n", self.inbox));
        let subscriptions = self.listeners.lines();
        self.queue_write(&subscriptions);
        let info = connection.info.clone();
        self.state.send_modify(|state| {
            *state = State { connected: true, connects: state.connects + 1, info };
        });
        self.config.notify(Notice::Connected);
    }

    fn on_disconnect(&mut self, why: String) {
        // This comes first: whoever is woken below and tries again must not get onto the broken connection.
        self.state.send_modify(|state| state.connected = false);
        // What is unsent may begin in the middle of a message, and its senders do not expect it to be sent later.
        self.unsent.clear();
        self.pending.clear();
        // Dropping the sender of a flush ends its wait. A subscription that was draining has ended with the connection.
        for pong in std::mem::take(&mut self.pongs) {
            if let Pong::Drained(sid) = pong {
                self.listeners.remove(sid);
            }
        }
        self.config.notify(Notice::Disconnected(why));
    }

    fn discover(&mut self, info: &ServerInfo) {
        // A server without a cluster announces no servers.
        if !info.connect_urls.is_empty() {
            self.servers = self.config.servers_with(&info.connect_urls);
        }
    }

    async fn serve(&mut self, connection: Established) -> Ended {
        let (mut reader, mut writer) = tokio::io::split(connection.stream);
        let mut received = connection.buffer;
        let mut pings = liveness::pings(&self.config);
        // Whether written bytes may still be in a buffer of the encryption.
        let mut unflushed = false;
        // Pings that went unanswered on the connection before do not count against this one.
        self.liveness.sign();
        // Whether whoever is ready to run may still have something to send.
        let mut gathering = false;
        loop {
            // It comes before the first read, because the handshake may have read more than its own part.
            if let Err(why) = self.process_received(&mut received) {
                return Ended::Broken(why);
            }
            let may_say_more = self.unsent.len() < UNSENT_BYTES;
            let busy = self.unsent.has_remaining() || unflushed;
            if received.capacity() - received.len() < READ_BYTES / 4 {
                received.reserve(READ_BYTES);
            }
            // Dropping the other arms loses nothing: each has an effect only in the moment in which it is ready.
            tokio::select! {
                read = reader.read_buf(&mut received) => match read {
                    Ok(0) => return Ended::Broken("the server closed the connection".to_owned()),
                    Ok(_) => {
                        self.liveness.sign();
                        // Nothing is held back for long: a flood of messages would put the writing off again and again.
                        gathering = false;
                    }
                    Err(error) => return Ended::Broken(error.to_string()),
                },
                () = tokio::task::yield_now(), if gathering => {
                    self.execute_waiting();
                    gathering = false;
                }
                pushed = push(&mut writer, &mut self.unsent, &mut unflushed), if busy && !gathering => {
                    if let Err(error) = pushed { return Ended::Broken(error.to_string()) }
                    // A ping waits behind what is still to be sent: a server that takes bytes is there.
                    if self.unsent.has_remaining() { self.liveness.sign() }
                }
                command = self.commands.recv(), if may_say_more => match command {
                    Some(command) => {
                        // What others are about to send is written with it, in one piece.
                        gathering |= self.unsent.is_empty();
                        self.execute(command);
                        self.execute_waiting();
                    }
                    None => return Ended::Dropped,
                },
                _ = pings.tick() => if let Err(why) = self.ping() { return Ended::Broken(why) },
            }
        }
    }

    /// Executes the commands that wait already, so that they are written in one piece.
    fn execute_waiting(&mut self) {
        while self.unsent.len() < UNSENT_BYTES
            && let Ok(command) = self.commands.try_recv()
        {
            self.execute(command);
        }
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Subscribe { sid, subject, queue, messages, missed } => {
                let line = self.listeners.add(sid, Listener::new(subject, queue, messages, missed));
                self.queue_write(&line);
            }
            Command::Unsubscribe { sid } => self.unsubscribe(sid),
            Command::Drain { sid } => {
                // The listener stays until the ping is answered: by then everything has come that was sent for it.
                self.queue_write(&format!("UNSUB {sid}\r\nPING\r\n"));
                self.pongs.push_back(Pong::Drained(sid));
            }
            Command::Send(bytes) => self.unsent.extend_from_slice(&bytes),
            Command::Ask { number, answers, bytes } => {
                self.pending.add(number, Asker::Many(answers));
                self.unsent.extend_from_slice(&bytes);
            }
            Command::Request { number, answer, bytes } => {
                self.pending.add(number, Asker::One(answer));
                self.unsent.extend_from_slice(&bytes);
            }
            Command::Expect { number, message } => self.pending.add(number, Asker::Expected(message)),
            Command::Forget { number } => self.pending.forget(number),
            Command::Flush(flushed) => {
                self.queue_write("PING\r\n");
                self.pongs.push_back(Pong::Flushed(flushed));
            }
        }
    }

    /// Obeys a command while there is no connection. Only subscriptions, and what is expected, are kept for the next one.
    fn execute_without_connection(&mut self, command: Command) {
        match command {
            Command::Subscribe { sid, subject, queue, messages, missed } => {
                self.listeners.add(sid, Listener::new(subject, queue, messages, missed));
            }
            Command::Unsubscribe { sid } | Command::Drain { sid } => drop(self.listeners.remove(sid)),
            Command::Expect { number, message } => self.pending.add(number, Asker::Expected(message)),
            Command::Forget { number } => self.pending.forget(number),
            // Dropping the command drops its sender, which ends the wait for an answer.
            Command::Send(_) | Command::Ask { .. } | Command::Request { .. } | Command::Flush(_) => {}
        }
    }

    fn unsubscribe(&mut self, sid: u64) {
        if self.listeners.remove(sid) {
            self.queue_write(&format!("UNSUB {sid}\r\n"));
        }
    }

    fn queue_write(&mut self, text: &str) {
        self.unsent.extend_from_slice(text.as_bytes());
    }

    /// Handles everything that has been received whole.
    fn process_received(&mut self, received: &mut BytesMut) -> Result<(), String> {
        while let Some(op) = frame::next(received).map_err(|error| error.to_string())? {
            match op {
                ServerOp::Message { sid: INBOX_SID, message } => self.pending.answered(message),
                ServerOp::Message { sid, message } => self.deliver(sid, message),
                ServerOp::Ping => self.queue_write("PONG\r\n"),
                ServerOp::Pong => self.pong(),
                ServerOp::Info(info) => self.discover(&info),
                // The server itself ends the connection after an error that concerns the whole of it.
                ServerOp::Err(why) => self.config.notify(Notice::ServerError(why)),
                ServerOp::Ok => {}
            }
        }
        Ok(())
    }

    fn deliver(&mut self, sid: u64, message: Message) {
        if !self.listeners.deliver(sid, message) {
            self.unsubscribe(sid);
        }
    }

    fn pong(&mut self) {
        // The server answers pings in their order.
        match self.pongs.pop_front() {
            Some(Pong::Flushed(flushed)) => drop(flushed.send(())),
            Some(Pong::Drained(sid)) => drop(self.listeners.remove(sid)),
            Some(Pong::Alive) | None => {}
        }
    }

    fn ping(&mut self) -> Result<(), String> {
        // Drops are reported at this pace, so that a flood of messages does not become a flood of notices.
        for notice in self.listeners.dropped() {
            self.config.notify(notice);
        }
        self.liveness.next_ping()?;
        self.queue_write("PING\r\n");
        self.pongs.push_back(Pong::Alive);
        Ok(())
    }
}

/// Writes some of the unsent bytes, or flushes. It is safe to drop: only written bytes are taken from the buffer.
async fn push<W: AsyncWrite + Unpin>(
    writer: &mut W,
    unsent: &mut BytesMut,
    unflushed: &mut bool,
) -> io::Result<()> {
    if unsent.has_remaining() {
        writer.write_buf(unsent).await?;
        *unflushed = true;
    } else {
        writer.flush().await?;
        *unflushed = false;
    }
    Ok(())
}
