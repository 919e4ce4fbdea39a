//! The client on a real nats-server; what a host would do is done here by hand.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

mod checked;
mod follow;
mod revoke;
mod schedules;
mod submit;

use std::path::Path;
use std::time::Duration;

use nats_server_child::{Finder, Options, Server};
use wasmhost_client::protocol::ids::{FunctionName, HostId, ModuleName, QueueName, StateName};
use wasmhost_client::protocol::json::Json;
use wasmhost_client::protocol::machine::{Claim, JobSpec, Transition, WriteIntent, Writer, transition};
use wasmhost_client::protocol::manifest::{Manifest, ManifestTask};
use wasmhost_client::protocol::policy::Policy;
use wasmhost_client::protocol::record::{DeliveryOrdinal, End, Payload, Record, StateLabel, Token};
use wasmhost_client::protocol::timestamp::Timestamp;
use wasmhost_client::{Client, ClientConfig, Handle};
use wasmhost_nats::{
    LayoutConfig, Records, StoredMessage, Written, ensure_layout, jobs, now, random_token, random_write,
};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server of its own, with the layout, and a client on it.
struct Bench {
    client: Client,
    records: Records,
    server: Server,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut ClientConfig)) -> Self {
        Self::start_on(&Options::default(), change).await
    }

    async fn start_on(options: &Options, change: impl FnOnce(&mut ClientConfig)) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let found = Finder::of_workspace(&workspace).find().expect("cargo xtask tools installs one");
        let server = Server::start(&found.path, options).expect("it starts");
        let mut config = ClientConfig::new(server.url());
        change(&mut config);
        let client = Client::connect(config).await.expect("it connects");
        ensure_layout(client.connection(), &LayoutConfig::default()).await.expect("it is made");
        push(&client, "demo", &manifest(&[("run", None)])).await;
        Self { records: Records::new(client.connection()), client, server }
    }

    /// A job of `demo.run` with this id and no arguments.
    async fn submit(&self, id: &str) -> Handle {
        self.client.task("demo.run").id(id).submit_json("").await.expect("it is accepted")
    }

    async fn message(&self, job: &Handle) -> Option<StoredMessage> {
        jobs::message_of(self.client.connection(), job.key()).await.unwrap()
    }

    /// How many messages the job stream holds.
    async fn queued(&self) -> u64 {
        let connection = self.client.connection();
        let stream = connection.jetstream.get_stream(connection.names.jobs_stream()).await.unwrap();
        stream.cached_info().state.messages
    }

    /// Takes the job's message out of the stream, as an acknowledgement would.
    async fn acknowledge(&self, job: &Handle) {
        let message = self.message(job).await.expect("its message stands");
        let connection = self.client.connection();
        let stream = connection.jetstream.get_stream(connection.names.jobs_stream()).await.unwrap();
        stream.delete_message(message.sequence).await.unwrap();
    }

    /// Writes what follows by `event`; its revision.
    async fn write(&self, job: &Handle, writer: Writer, event: Transition, ttl: Option<Duration>) -> u64 {
        let stored = self.records.read_until_known(job.key()).await;
        let expected = stored.expected();
        let wasmhost_client::protocol::record::StoredEntry::Record { record, .. } = stored else {
            panic!("{stored:?}")
        };
        let change = WriteIntent { transition: event, writer, now: now(), write: random_write() };
        let after = transition(Some(&record), &change).expect("it is legal");
        match self.records.write(job.key(), &after, expected, ttl).await.unwrap() {
            Written::Landed(revision) => revision,
            Written::Moved(stored) => panic!("{stored:?}"),
        }
    }

    /// Claims the job as a host would.
    async fn claim(&self, job: &Handle) -> Token {
        let token = random_token();
        let message = self.message(job).await.expect("its message stands");
        let claim = Claim {
            job: submission(&job.record().await.unwrap()),
            host: HostId::parse("h-1").unwrap(),
            token,
            msg_seq: message.sequence,
            delivery: DeliveryOrdinal { created: Timestamp::from_unix_ms(0), count: 1 },
            digest: None,
            max_attempts: None,
            max_lost: 3,
            track_started: true,
            adopt: false,
        };
        self.write(job, Writer::Host, Transition::Claim(Box::new(claim)), None).await;
        token
    }

    async fn progress(&self, job: &Handle, token: Token, state: &str) {
        let state = StateName::parse(state).unwrap();
        self.write(job, Writer::Owner(token), Transition::Progress { state, meta: None }, None).await;
    }

    async fn succeed(&self, job: &Handle, token: Token, result: &str, ttl: Option<Duration>) {
        let end = End::Success(Payload::Inline(Json::parse(result).unwrap()));
        self.write(
            job,
            Writer::Owner(token),
            Transition::Finish { end, usage: None, denied: Vec::new() },
            ttl,
        )
        .await;
    }
}

/// What a module with these functions says of itself: with their types, or of JSON as it is.
fn manifest(functions: &[(&str, Option<&str>)]) -> Manifest {
    let task = |(name, types): &(&str, Option<&str>)| ManifestTask {
        function: FunctionName::parse(name).unwrap(),
        interface: None,
        signature: (*name).to_owned(),
        parameters: types.map(|_| Vec::new()),
        types: types.map(|types| Json::parse(types).unwrap()),
        arguments: Json::parse("{}").unwrap(),
        result: Json::parse("{}").unwrap(),
    };
    Manifest { tasks: functions.iter().map(task).collect(), refused: Vec::new(), imports: Vec::new() }
}

/// Puts a module into the registry; nobody runs it here.
async fn push(client: &Client, name: &str, manifest: &Manifest) {
    let name = ModuleName::parse(name).unwrap();
    let modules = client.modules();
    let pushed = modules.push(&name, "no component".into(), Policy::default(), manifest.clone());
    pushed.await.expect("it is taken");
}

fn submission(record: &Record) -> JobSpec {
    JobSpec {
        key: record.key(),
        queue: QueueName::default_queue(),
        submitted_at: record.submitted_at,
        not_before: None,
        expires_at: None,
        max_attempts: None,
        args_digest: record.args_digest,
        digest: None,
        parent: None,
        after: record.after,
    }
}

/// Waits for what must happen.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens in time")
}

fn words(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.state().as_str().to_owned()).collect()
}

/// Whether it is one of a job that waits.
fn is_pending(state: &StateLabel) -> bool {
    *state == StateLabel::Pending
}
