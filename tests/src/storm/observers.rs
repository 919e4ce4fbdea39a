//! The connections of the recorder and the witness. They go to the server itself and not through a proxy, so that they see
//! everything, also across crashes of the server.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, HeaderMap};
use tokio::time::timeout;
use wasmhost_client::{ConnectConfig, Connection};

use crate::limit::{until, within};

/// How soon a connection is made again after the server came back.
const RECONNECT_DELAY: Duration = Duration::from_millis(10);

/// How long an answer of a running server may take.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// A request that every server with JetStream answers.
const QUESTION: &str = "$JS.API.INFO";

/// A subject of the states bucket that is no job's, and a revision that it never has. Such a write is refused, after all writes
/// before it were handled.
const BARRIER: (&str, &str) = ("$KV.wasmhost-states.storm.run.barrier", "18446744073709551614");

/// The observers: two connections of the auditor's recorder, and the witness's.
#[derive(Debug)]
pub(super) struct Observers {
    pub(super) recorder: [Connection; 2],
    pub(super) witness: Client,
}

impl Observers {
    pub(super) async fn connect(url: &str) -> anyhow::Result<Self> {
        let mut config = ConnectConfig::new(url);
        config.reconnect_delay = Some(RECONNECT_DELAY);
        let witness =
            ConnectOptions::new().reconnect_delay_callback(|_| RECONNECT_DELAY).connect(url).await?;
        let recorder = [Connection::open(&config).await?, Connection::open(&config).await?];
        Ok(Self { recorder, witness })
    }

    /// Waits until every observer has received everything that was stored before now.
    pub(super) async fn catch_up(&self) -> anyhow::Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", BARRIER.1);
        let barrier = self.witness.request_with_headers(BARRIER.0, headers, "".into());
        within("the writes so far", barrier).await??;
        within("the events so far", self.witness.request(QUESTION, "".into())).await??;
        for connection in &self.recorder {
            within("the events so far", connection.round_trip()).await??;
            within("the events so far", connection.edge().await?.flush()).await??;
        }
        Ok(())
    }

    /// Waits until every observer is subscribed again after the server came back.
    pub(super) async fn come_back(&self) -> anyhow::Result<()> {
        // An answer comes over a new connection, on which the subscriptions came before the request.
        answered("the witness", || self.witness.request(QUESTION, "".into())).await?;
        for connection in &self.recorder {
            answered("a recorder", || connection.round_trip()).await?;
            let wire = connection.edge().await?;
            answered("a recorder", || wire.flush()).await?;
        }
        Ok(())
    }
}

/// Asks until there is an answer.
async fn answered<T, E, F>(who: &str, ask: impl Fn() -> F) -> anyhow::Result<()>
where
    F: Future<Output = Result<T, E>>,
{
    until(&format!("{who} to come back"), async || {
        let answer = timeout(ANSWER_TIMEOUT, ask()).await;
        Ok(answer.is_ok_and(|answer| answer.is_ok()).then_some(()))
    })
    .await
}
