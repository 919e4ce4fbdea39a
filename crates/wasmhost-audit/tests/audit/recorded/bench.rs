//! A server with the layout on it, and records that the code's own state machine makes.

use std::path::Path;
use std::time::Duration;

use nats_server_child::{Finder, Options, Server};
use wasmhost_nats::{
    ConnectConfig, Connection, Credentials, LayoutConfig, Records, ensure_layout, now, random_write,
};
use wasmhost_protocol::ids::{HostId, JobKey, QueueName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::machine::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::{DeliveryOrdinal, End, Payload, Record, StoredEntry, Token};
use wasmhost_protocol::timestamp::Timestamp;

/// No wait for a signal takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) connection: Connection,
    pub(crate) config: ConnectConfig,
    pub(crate) server: Server,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with("", Credentials::None).await
    }

    /// With these lines in the server's configuration, as this user.
    pub(crate) async fn with(extra_config: &str, credentials: Credentials) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let options = Options { extra_config: extra_config.to_owned(), ..Options::default() };
        let program = Finder::of_workspace(&workspace).find().expect("cargo xtask tools installs one").path;
        let server = Server::start(&program, &options).expect("the server starts");
        let mut config = ConnectConfig::new(server.url());
        config.credentials = credentials;
        let connection = Connection::open(&config).await.expect("it connects");
        ensure_layout(&connection, &LayoutConfig::default()).await.expect("the layout is made");
        Self { connection, config, server }
    }

    /// The revision of the marker that the server writes when the record at `revision` expires.
    pub(crate) async fn marker(&self, key: &JobKey, revision: u64) -> u64 {
        let records = Records::new(&self.connection);
        let expired = async {
            loop {
                match records.read(key).await.expect("the server answers") {
                    StoredEntry::Deleted(marker) => return marker.revision,
                    stored => assert_eq!(stored.expected(), revision),
                }
            }
        };
        tokio::time::timeout(PATIENCE, expired).await.expect("it expires")
    }

    /// What was sent before on this connection has reached the server when this returns.
    pub(crate) async fn round_trip(&self) {
        self.connection.jetstream.query_account().await.expect("the server answers");
    }
}

fn submission(key: &JobKey) -> JobSpec {
    JobSpec {
        key: key.clone(),
        queue: QueueName::default_queue(),
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

/// A claim from the delivery with this count.
pub(crate) fn claimed(record: Option<&Record>, key: &JobKey, token: Token, count: u64) -> Record {
    let claim = Claim {
        job: submission(key),
        host: HostId::parse("h-1").expect("a host id"),
        token,
        msg_seq: 1,
        delivery: DeliveryOrdinal { created: Timestamp::from_unix_ms(0), count },
        digest: None,
        max_attempts: None,
        max_lost: 3,
        track_started: true,
        adopt: false,
    };
    step(record, Transition::Claim(Box::new(claim)), Writer::Host)
}

/// A retry that may follow at once.
pub(crate) fn retried(record: &Record, token: Token) -> Record {
    let event =
        Transition::Retry { reason: "flaky".to_owned(), not_before: now(), charge: true, usage: None };
    step(Some(record), event, Writer::Owner(token))
}

pub(crate) fn succeeded(record: &Record, token: Token) -> Record {
    let end = End::Success(Payload::Inline(Json::null()));
    step(Some(record), Transition::Finish { end, usage: None, denied: Vec::new() }, Writer::Owner(token))
}
