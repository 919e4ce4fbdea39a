//! A TCP proxy in front of nats-server. On demand it loses one answer, so that a write happened whose writer never hears of it.
//! On demand it is also a bad network: it cuts connections, and delays or holds back what flows in either direction.

mod flow;
mod wire;

use std::sync::{Arc, Mutex, atomic::Ordering};

use anyhow::Context;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::JoinSet,
};

use crate::limit::within;
pub use flow::{Direction, Flow};
use flow::{Flows, Lane, Tally};
use wire::Frame;

/// A proxy for any number of connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    order: Arc<Mutex<Option<Order>>>,
    flows: watch::Sender<Flows>,
    tally: Arc<Tally>,
    _tasks: JoinSet<()>,
}

/// The publish whose answer is to be lost, and whom to notify.
#[derive(Debug)]
struct Order {
    subject: String,
    text: String,
    done: oneshot::Sender<()>,
}

/// The proof that an answer was lost.
#[derive(Debug)]
pub struct Swallowed(oneshot::Receiver<()>);

/// The reply subject of the answer that must not arrive, and whom to notify.
type Awaited = Arc<Mutex<Option<(String, oneshot::Sender<()>)>>>;

impl Proxy {
    pub(crate) async fn before(server_port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening")?;
        let port = listener.local_addr()?.port();
        let order = Arc::new(Mutex::new(None));
        let flows = watch::Sender::new(Flows::default());
        let tally = Arc::new(Tally::default());
        let mut tasks = JoinSet::new();
        let accepting = Accepting {
            server_port,
            order: Arc::clone(&order),
            flows: flows.subscribe(),
            tally: Arc::clone(&tally),
        };
        tasks.spawn(accepting.run(listener));
        Ok(Self { port, order, flows, tally, _tasks: tasks })
    }

    /// The address that clients use.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Loses the answer to the next publish whose subject starts like this and whose message has this text in it.
    ///
    /// # Panics
    ///
    /// A task of the proxy panicked.
    #[must_use]
    pub fn swallow_answer(&self, subject: &str, text: &str) -> Swallowed {
        let (done, swallowed) = oneshot::channel();
        let order = Order { subject: subject.to_owned(), text: text.to_owned(), done };
        *self.order.lock().expect("no task of the proxy panics") = Some(order);
        Swallowed(swallowed)
    }

    /// Changes how frames flow in one direction, on all present and future connections.
    pub fn flow(&self, direction: Direction, flow: Flow) {
        self.flows.send_modify(|flows| match direction {
            Direction::ToServer => flows.to_server = flow,
            Direction::ToClient => flows.to_client = flow,
        });
    }

    /// Closes every connection, and returns how many there were. New ones are accepted.
    pub fn cut(&self) -> usize {
        let connections = self.tally.connections.load(Ordering::Relaxed);
        self.flows.send_modify(|flows| flows.cuts += 1);
        connections
    }

    /// Lets nothing through in either direction.
    pub fn close(&self) {
        self.flows.send_modify(|flows| flows.closed = true);
    }

    /// Undoes [`Self::close`].
    pub fn open(&self) {
        self.flows.send_modify(|flows| flows.closed = false);
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.tally.accepted.load(Ordering::Relaxed)
    }

    /// How many frames had to wait so far.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.tally.held.load(Ordering::Relaxed)
    }
}

impl Swallowed {
    /// Waits until the answer was lost.
    ///
    /// # Errors
    ///
    /// No such answer came.
    pub async fn happened(self) -> anyhow::Result<()> {
        within("an answer to swallow", self.lost()).await?
    }

    /// Waits until the answer was lost, however long it takes.
    ///
    /// # Errors
    ///
    /// The proxy has ended.
    pub async fn lost(self) -> anyhow::Result<()> {
        self.0.await.context("the answer never came")
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Accepting {
    server_port: u16,
    order: Arc<Mutex<Option<Order>>>,
    flows: watch::Receiver<Flows>,
    tally: Arc<Tally>,
}

impl Accepting {
    async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            connections.spawn(self.clone().connect(client));
        }
    }

    /// Joins a client to the server, until either of them ends the connection or it is cut.
    async fn connect(mut self, client: TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server_port)).await else { return };
        // Without it, a small frame waits for the acknowledgement of the one before.
        if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
            return;
        }
        let cuts = self.flows.borrow_and_update().cuts;
        let mut cut = self.flows.clone();
        self.tally.connections.fetch_add(1, Ordering::Relaxed);
        self.tally.accepted.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            () = self.join(client, server) => {}
            // The end of the proxy cuts its connections as well.
            _ = cut.wait_for(|flows| flows.cuts > cuts) => {}
        }
        self.tally.connections.fetch_sub(1, Ordering::Relaxed);
    }

    async fn join(&self, client: TcpStream, server: TcpStream) {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let awaited = Awaited::default();
        let lane = |direction| Lane { direction, flows: self.flows.clone(), tally: &self.tally };
        tokio::join!(
            lane(Direction::ToServer).copy(from_client, to_server, |frame| !note(
                &self.order,
                &awaited,
                frame
            )),
            lane(Direction::ToClient).copy(from_server, to_client, |frame| !swallow(&awaited, frame)),
        );
    }
}

/// Notes the reply subject of the publish whose answer is to be lost. The publish itself always passes.
fn note(order: &Mutex<Option<Order>>, awaited: &Awaited, frame: &Frame) -> bool {
    let Some((subject, reply)) = frame.publish() else { return false };
    let mut order = order.lock().expect("no task of the proxy panics");
    let matches = |order: &mut Order| subject.starts_with(&order.subject) && frame.contains(&order.text);
    if let Some(order) = order.take_if(matches) {
        *awaited.lock().expect("no task of the proxy panics") = Some((reply.to_owned(), order.done));
    }
    false
}

/// Whether this is the answer that must not arrive.
fn swallow(awaited: &Awaited, frame: &Frame) -> bool {
    let Some(subject) = frame.message() else { return false };
    let mut awaited = awaited.lock().expect("no task of the proxy panics");
    let Some((_, done)) = awaited.take_if(|(reply, _)| reply == subject) else { return false };
    // The test may not wait for it.
    let _ = done.send(());
    true
}

#[cfg(test)]
mod tests;
