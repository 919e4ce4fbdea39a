//! A server with the layout on it, and records to write.

use std::path::Path;
use std::time::Duration;

use futures::{Stream, StreamExt};
use nats_server_child::{Finder, Options, Server};
use wasmhost_nats::{
    ConnectConfig, Connection, Credentials, LayoutConfig, ensure_layout, now, random_token, random_write,
};
use wasmhost_protocol::ids::{HostId, JobKey, QueueName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::{DeliveryOrdinal, End, Payload, Record, Revoke, Token};

/// No wait for a signal takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) connection: Connection,
    pub(crate) server: Server,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let bench = Self::bare(&Options::default()).await;
        ensure_layout(&bench.connection, &LayoutConfig::default()).await.expect("the layout is made");
        bench
    }

    /// Without the layout.
    pub(crate) async fn bare(options: &Options) -> Self {
        Self::bare_as(options, Credentials::None).await
    }

    /// Without the layout, as this user.
    pub(crate) async fn bare_as(options: &Options, credentials: Credentials) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = Finder::of_workspace(&workspace).find().expect("cargo xtask tools installs one").path;
        let server = Server::start(&program, options).expect("the server starts");
        let config = ConnectConfig { credentials, ..ConnectConfig::new(server.url()) };
        let connection = Connection::open(&config).await.expect("it connects");
        Self { connection, server }
    }
}

/// The next item of a stream that must bring one.
pub(crate) async fn next_of<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    let item = tokio::time::timeout(PATIENCE, stream.next()).await.expect("it comes in time");
    item.expect("the stream goes on")
}

pub(crate) fn queue() -> QueueName {
    QueueName::default_queue()
}

pub(crate) fn key(text: &str) -> JobKey {
    JobKey::parse(text).expect("a key")
}

fn submission(key: &JobKey) -> JobSpec {
    JobSpec {
        key: key.clone(),
        queue: queue(),
        submitted_at: now(),
        not_before: None,
        expires_at: None,
        max_attempts: None,
        args_digest: None,
        digest: None,
        parent: None,
        after: None,
    }
}

fn step(record: Option<&Record>, event: Transition, writer: Writer) -> Record {
    let change = WriteIntent { transition: event, writer, now: now(), write: random_write() };
    transition(record, &change).expect("a legal step")
}

pub(crate) fn pending(key: &JobKey) -> Record {
    step(None, Transition::Submit(submission(key)), Writer::Client)
}

/// A first claim, with its token.
pub(crate) fn claimed(key: &JobKey) -> (Record, Token) {
    let token = random_token();
    let claim = Claim {
        job: submission(key),
        host: HostId::parse("h-1").expect("a host id"),
        token,
        msg_seq: 1,
        delivery: DeliveryOrdinal { created: now(), count: 1 },
        digest: None,
        max_attempts: None,
        max_lost: 3,
        track_started: true,
        adopt: false,
    };
    (step(None, Transition::Claim(Box::new(claim)), Writer::Host), token)
}

pub(crate) fn succeeded(record: &Record, token: Token) -> Record {
    let end = End::Success(Payload::Inline(Json::null()));
    step(Some(record), Transition::Finish { end, usage: None, denied: Vec::new() }, Writer::Owner(token))
}

pub(crate) fn revoke_requested(record: &Record) -> Record {
    let revoke = Revoke { reason: "no longer needed".to_owned(), stop_at: now() };
    step(Some(record), Transition::RequestRevoke(revoke), Writer::Client)
}

/// A record that no history leads to: another one with some of its JSON fields changed.
pub(crate) fn forged(record: &Record, fields: serde_json::Value) -> Record {
    let mut json: serde_json::Value = serde_json::from_slice(&record.to_bytes()).expect("a record is JSON");
    let serde_json::Value::Object(fields) = fields else { panic!("fields are an object") };
    for (name, value) in fields {
        json[name] = value;
    }
    Record::from_bytes(json.to_string().as_bytes()).expect("it is still a record")
}
