//! A TCP proxy before nats-server that loses one answer on demand: the write happened, its writer never hears of it.

mod wire;

use std::sync::{Arc, Mutex};

use anyhow::Context;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::limit::within;
use wire::{Frame, read_frame};

/// A proxy for any number of connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    order: Arc<Mutex<Option<Order>>>,
    _tasks: JoinSet<()>,
}

/// The publish whose answer is to be lost.
#[derive(Debug)]
struct Order {
    subject: String,
    text: String,
    done: oneshot::Sender<()>,
}

/// The proof that an answer was lost.
#[derive(Debug)]
pub struct Swallowed(oneshot::Receiver<()>);

/// The reply subject on which an answer is awaited that must not arrive, and whom to tell.
type Awaited = Arc<Mutex<Option<(String, oneshot::Sender<()>)>>>;

impl Proxy {
    pub(crate) async fn before(server_port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening")?;
        let port = listener.local_addr()?.port();
        let order = Arc::new(Mutex::new(None));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server_port, Arc::clone(&order)));
        Ok(Self { port, order, _tasks: tasks })
    }

    /// The address that clients use.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Loses the answer to the next publish to a subject that starts like this and with this text in its message.
    ///
    /// # Panics
    ///
    /// Where a task of the proxy panicked.
    #[must_use]
    pub fn swallow_answer(&self, subject: &str, text: &str) -> Swallowed {
        let (done, swallowed) = oneshot::channel();
        let order = Order { subject: subject.to_owned(), text: text.to_owned(), done };
        *self.order.lock().expect("no task of the proxy panics") = Some(order);
        Swallowed(swallowed)
    }
}

impl Swallowed {
    /// Waits until the answer was lost.
    ///
    /// # Errors
    ///
    /// Where there was none to lose.
    pub async fn happened(self) -> anyhow::Result<()> {
        within("an answer to swallow", self.0).await?.context("the answer never came")
    }
}

async fn accept(listener: TcpListener, server_port: u16, order: Arc<Mutex<Option<Order>>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)).await else { continue };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let awaited = Awaited::default();
        let (order, awaiting) = (Arc::clone(&order), Arc::clone(&awaited));
        connections.spawn(copy(from_client, to_server, move |frame| !note(&order, &awaiting, frame)));
        connections.spawn(copy(from_server, to_client, move |frame| !swallow(&awaited, frame)));
    }
}

/// Copies the frames that pass, until either side ends.
async fn copy(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passes: impl Fn(&Frame) -> bool,
) {
    let mut from = BufReader::new(from);
    while let Ok(Some(frame)) = read_frame(&mut from).await {
        if passes(&frame) && to.write_all(&frame.bytes).await.is_err() {
            return;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown().await;
}

/// Notes the reply subject of the publish that was ordered. It passes in any case.
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
    // A test that does not look is free not to.
    let _ = done.send(());
    true
}
