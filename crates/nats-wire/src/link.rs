//! The connection's one task: it reads, writes, pings, and makes the connection anew. What is subscribed to stays; what was
//! asked or sent on a connection that broke is lost, and whoever waits for an answer is told.

mod reconnect;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::address::Address;
use crate::config::{Config, Notice};
use crate::frame::{self, Said};
use crate::handshake::Ready;
use crate::handshake::{ConnectError, ServerInfo};
use crate::message::Message;
use crate::pending::Pending;

/// With so many bytes that the server has not taken, no more words are heard.
const UNSENT_BYTES: usize = 8 << 20;
/// Pings after which nothing comes before the connection counts as broken.
const UNANSWERED_PINGS: usize = 2;
/// The subscription for answers.
const INBOX_SID: u64 = 1;

/// How the connection is.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct State {
    /// Whether it stands.
    pub connected: bool,
    /// How often it was made.
    pub connects: u64,
    /// What the server said of itself.
    pub info: ServerInfo,
}

/// A word to the connection.
#[derive(Debug)]
pub(crate) enum Command {
    Subscribe {
        sid: u64,
        subject: String,
        queue: Option<String>,
        messages: mpsc::Sender<Message>,
        missed: Arc<AtomicU64>,
    },
    Unsubscribe {
        sid: u64,
    },
    Drain {
        sid: u64,
    },
    Send(Bytes),
    Ask {
        number: u64,
        answers: mpsc::Sender<Message>,
        bytes: Bytes,
    },
    Forget {
        number: u64,
    },
    Flush(oneshot::Sender<()>),
}

/// Why the serving of a connection ended.
enum Ended {
    /// Nobody has a handle any more.
    Left,
    Broken(String),
}

/// What an answer to a ping means.
enum Pong {
    /// The server is there.
    Alive,
    Flushed(oneshot::Sender<()>),
    /// All that comes for this subscription has come.
    Drained(u64),
}

struct Listener {
    subject: String,
    queue: Option<String>,
    messages: mpsc::Sender<Message>,
    missed: Arc<AtomicU64>,
    /// Of those missed, how many were told of.
    told: u64,
}

pub(crate) struct Link {
    config: Config,
    servers: Vec<Address>,
    inbox: String,
    commands: mpsc::Receiver<Command>,
    state: watch::Sender<State>,
    listeners: HashMap<u64, Listener>,
    pending: Pending,
    pongs: VecDeque<Pong>,
    unsent: BytesMut,
    /// Whether the server gave a sign of life since the last ping: bytes, or room for ours.
    alive: bool,
    /// Pings in a row that nothing came after.
    silent_pings: usize,
}

impl Link {
    /// The first number that a subscription or a request may have.
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
            listeners: HashMap::new(),
            pending: Pending::default(),
            pongs: VecDeque::new(),
            unsent: BytesMut::new(),
            alive: true,
            silent_pings: 0,
        };
        (link, states)
    }

    /// The first connection: each server is tried once.
    pub(crate) async fn first(config: &Config) -> Result<Ready, ConnectError> {
        reconnect::try_each(config, &config.servers).await
    }

    /// Runs, once it has begun, until nobody has a handle any more.
    pub(crate) async fn run(mut self, ready: Ready) {
        let mut ready = ready;
        loop {
            match self.serve(ready).await {
                Ended::Left => return,
                Ended::Broken(why) => self.broke(why),
            }
            ready = match self.connect_again().await {
                Some(ready) => ready,
                None => return,
            };
            self.begin(&ready);
        }
    }

    /// What the server is told first, and everybody else.
    pub(crate) fn begin(&mut self, ready: &Ready) {
        self.discover(&ready.info);
        self.say(&format!("SUB {}.* {INBOX_SID}\r\n", self.inbox));
        let subscribe = |(sid, listener): (&u64, &Listener)| {
            subscription(*sid, &listener.subject, listener.queue.as_deref())
        };
        let lines: String = self.listeners.iter().map(subscribe).collect();
        self.say(&lines);
        let info = ready.info.clone();
        self.state.send_modify(|state| {
            *state = State { connected: true, connects: state.connects + 1, info };
        });
        self.config.tell(Notice::Connected);
    }

    fn broke(&mut self, why: String) {
        self.state.send_modify(|state| state.connected = false);
        self.unsent.clear();
        self.pending.clear();
        // Who waits for a flush sees its sender dropped; what was drained has ended with the connection.
        for pong in std::mem::take(&mut self.pongs) {
            if let Pong::Drained(sid) = pong {
                self.listeners.remove(&sid);
            }
        }
        self.config.tell(Notice::Disconnected(why));
    }

    fn discover(&mut self, info: &ServerInfo) {
        // A server without a cluster announces none.
        if !info.connect_urls.is_empty() {
            self.servers = self.config.servers_with(&info.connect_urls);
        }
    }

    async fn serve(&mut self, ready: Ready) -> Ended {
        let (mut reader, mut writer) = tokio::io::split(ready.stream);
        let mut heard = ready.buffer;
        let mut pings = pings(&self.config);
        // Whether what was written may still stand in a buffer of the encryption's.
        let mut unflushed = false;
        self.alive = true;
        loop {
            if let Err(why) = self.hear(&mut heard) {
                return Ended::Broken(why);
            }
            let may_say_more = self.unsent.len() < UNSENT_BYTES;
            let busy = self.unsent.has_remaining() || unflushed;
            // Dropping the other arms loses nothing: each takes effect in the moment in which it is ready.
            tokio::select! {
                read = reader.read_buf(&mut heard) => match read {
                    Ok(0) => return Ended::Broken("the server closed the connection".to_owned()),
                    Ok(_) => self.alive = true,
                    Err(error) => return Ended::Broken(error.to_string()),
                },
                pushed = push(&mut writer, &mut self.unsent, &mut unflushed), if busy => {
                    if let Err(error) = pushed { return Ended::Broken(error.to_string()) }
                    // Behind what is still to be sent a ping waits, too.
                    self.alive |= self.unsent.has_remaining();
                }
                command = self.commands.recv(), if may_say_more => match command {
                    Some(command) => {
                        self.obey(command);
                        self.obey_more();
                    }
                    None => return Ended::Left,
                },
                _ = pings.tick() => if let Err(why) = self.ping() { return Ended::Broken(why) },
            }
        }
    }

    /// What was said at the same time goes out in one piece.
    fn obey_more(&mut self) {
        while self.unsent.len() < UNSENT_BYTES
            && let Ok(command) = self.commands.try_recv()
        {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribe { sid, subject, queue, messages, missed } => {
                self.say(&subscription(sid, &subject, queue.as_deref()));
                self.listeners.insert(sid, Listener { subject, queue, messages, missed, told: 0 });
            }
            Command::Unsubscribe { sid } => self.unsubscribe(sid),
            Command::Drain { sid } => {
                self.say(&format!("UNSUB {sid}\r\nPING\r\n"));
                self.pongs.push_back(Pong::Drained(sid));
            }
            Command::Send(bytes) => self.unsent.extend_from_slice(&bytes),
            Command::Ask { number, answers, bytes } => {
                self.pending.add(number, answers);
                self.unsent.extend_from_slice(&bytes);
            }
            Command::Forget { number } => self.pending.forget(number),
            Command::Flush(flushed) => {
                self.say("PING\r\n");
                self.pongs.push_back(Pong::Flushed(flushed));
            }
        }
    }

    /// The same while there is no connection: nothing is kept for the next one but what is subscribed to.
    fn obey_without_connection(&mut self, command: Command) {
        match command {
            Command::Subscribe { sid, subject, queue, messages, missed } => {
                self.listeners.insert(sid, Listener { subject, queue, messages, missed, told: 0 });
            }
            Command::Unsubscribe { sid } | Command::Drain { sid } => drop(self.listeners.remove(&sid)),
            // Dropped with its sender: who waits is told.
            Command::Send(_) | Command::Ask { .. } | Command::Forget { .. } | Command::Flush(_) => {}
        }
    }

    fn unsubscribe(&mut self, sid: u64) {
        if self.listeners.remove(&sid).is_some() {
            self.say(&format!("UNSUB {sid}\r\n"));
        }
    }

    fn say(&mut self, text: &str) {
        self.unsent.extend_from_slice(text.as_bytes());
    }

    /// Takes in all that has come whole.
    fn hear(&mut self, heard: &mut BytesMut) -> Result<(), String> {
        while let Some(said) = frame::next(heard).map_err(|error| error.to_string())? {
            match said {
                Said::Message { sid: INBOX_SID, message } => self.pending.answered(message),
                Said::Message { sid, message } => self.deliver(sid, message),
                Said::Ping => self.say("PONG\r\n"),
                Said::Pong => self.pong(),
                Said::Info(info) => self.discover(&info),
                // What concerns the connection as a whole is followed by its end.
                Said::Err(why) => self.config.tell(Notice::ServerError(why)),
                Said::Ok => {}
            }
        }
        Ok(())
    }

    fn deliver(&mut self, sid: u64, message: Message) {
        let Some(listener) = self.listeners.get(&sid) else { return };
        match listener.messages.try_send(message) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => drop(listener.missed.fetch_add(1, Ordering::Relaxed)),
            Err(mpsc::error::TrySendError::Closed(_)) => self.unsubscribe(sid),
        }
    }

    fn pong(&mut self) {
        match self.pongs.pop_front() {
            Some(Pong::Flushed(flushed)) => drop(flushed.send(())),
            Some(Pong::Drained(sid)) => drop(self.listeners.remove(&sid)),
            Some(Pong::Alive) | None => {}
        }
    }

    fn ping(&mut self) -> Result<(), String> {
        self.tell_of_missed();
        // An answer queues behind whatever the server sends already: anything that comes shows that it is there.
        self.silent_pings = if std::mem::take(&mut self.alive) { 0 } else { self.silent_pings + 1 };
        if self.silent_pings >= UNANSWERED_PINGS {
            return Err(format!("the server answered none of {} pings", self.silent_pings));
        }
        self.say("PING\r\n");
        self.pongs.push_back(Pong::Alive);
        Ok(())
    }

    fn tell_of_missed(&mut self) {
        for listener in self.listeners.values_mut() {
            let missed = listener.missed.load(Ordering::Relaxed);
            if missed > listener.told {
                let notice =
                    Notice::Dropped { subject: listener.subject.clone(), count: missed - listener.told };
                listener.told = missed;
                self.config.tell(notice);
            }
        }
    }
}

/// One step on the way of what is unsent. Safe to drop: nothing is taken that was not written.
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

fn subscription(sid: u64, subject: &str, queue: Option<&str>) -> String {
    match queue {
        Some(queue) => format!("SUB {subject} {queue} {sid}\r\n"),
        None => format!("SUB {subject} {sid}\r\n"),
    }
}

fn pings(config: &Config) -> Interval {
    let mut pings = interval_at(Instant::now() + config.ping_interval, config.ping_interval);
    // A machine that slept asks once, not for each time that it missed.
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}
