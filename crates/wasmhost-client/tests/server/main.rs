//! The client on a real nats-server; what a host would do is done here by hand.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

mod checked;
mod follow;
mod revoke;
mod schedules;
mod submit;

use std::time::Duration;

use wasmhost_client::protocol::ids::{FunctionName, ModuleName, StateName};
use wasmhost_client::protocol::json::Json;
use wasmhost_client::protocol::machine::{Claim, JobSpec, Transition, Writer};
use wasmhost_client::protocol::manifest::{Manifest, ManifestTask};
use wasmhost_client::protocol::policy::Policy;
use wasmhost_client::protocol::record::{End, Payload, Record, StateLabel, StoredEntry, Token};
use wasmhost_client::{Client, ClientConfig, JobHandle};
use wasmhost_nats::{Records, StoredMessage, Written, jobs, random_token};
use wasmhost_testing::{Options, records, within};

/// A server with the streams and buckets of a deployment, a client on it, and the module `demo` in the registry.
struct Bench {
    client: Client,
    records: Records,
    server: wasmhost_testing::Bench,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut ClientConfig)) -> Self {
        Self::start_on(&Options::default(), change).await
    }

    async fn start_on(options: &Options, change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut config = ClientConfig::new(String::new());
        change(&mut config);
        let server = wasmhost_testing::Bench::new_as(options, config.connect.credentials.clone()).await;
        config.connect.url = server.server.url();
        let client = Client::connect(config).await.expect("a client on a server that listens");
        push(&client, "demo", &manifest(&[("run", None)])).await;
        Self { records: Records::new(client.connection()), client, server }
    }

    /// A job of `demo.run` with this id and no arguments.
    async fn submit(&self, id: &str) -> JobHandle {
        self.client.task("demo.run").id(id).submit_json("").await.expect("it is accepted")
    }

    async fn message(&self, job: &JobHandle) -> Option<StoredMessage> {
        jobs::message_of(self.client.connection(), job.key()).await.unwrap()
    }

    /// How many messages the job stream holds.
    async fn queued(&self) -> u64 {
        self.server.messages(self.client.connection().names.jobs_stream()).await
    }

    /// Takes the job's message out of the stream, as an acknowledgement would.
    async fn acknowledge(&self, job: &JobHandle) {
        let message = self.message(job).await.expect("its message stands");
        let jobs = self.server.stream(self.client.connection().names.jobs_stream()).await;
        jobs.delete_message(message.sequence).await.unwrap();
    }

    /// Writes the record that follows by this transition, and returns its revision.
    async fn write(&self, job: &JobHandle, writer: Writer, by: Transition, ttl: Option<Duration>) -> u64 {
        let stored = self.records.read_until_known(job.key()).await;
        let expected = stored.expected();
        let StoredEntry::Record { record, .. } = stored else { panic!("{stored:?}") };
        let after = records::next(Some(&record), by, writer);
        match self.records.write(job.key(), &after, expected, ttl).await.unwrap() {
            Written::Stored(revision) => revision,
            Written::Superseded(stored) => panic!("{stored:?}"),
        }
    }

    /// Claims the job as a host would.
    async fn claim(&self, job: &JobHandle) -> Token {
        let token = random_token();
        let message = self.message(job).await.expect("its message stands");
        let job_spec = submission(&job.record().await.unwrap());
        let claim = Claim { msg_seq: message.sequence, ..records::claim(job_spec, token) };
        self.write(job, Writer::Host, Transition::Claim(Box::new(claim)), None).await;
        token
    }

    async fn progress(&self, job: &JobHandle, token: Token, state: &str) {
        let state = StateName::parse(state).unwrap();
        self.write(job, Writer::Owner(token), Transition::Progress { state, meta: None }, None).await;
    }

    async fn succeed(&self, job: &JobHandle, token: Token, result: &str, ttl: Option<Duration>) {
        let end = End::Success(Payload::Inline(Json::parse(result).unwrap()));
        self.write(job, Writer::Owner(token), records::finish(end), ttl).await;
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

/// The submission that a record was made from.
fn submission(record: &Record) -> JobSpec {
    JobSpec {
        submitted_at: record.submitted_at,
        args_digest: record.args_digest,
        after: record.after,
        ..records::submission(&record.key())
    }
}

/// Waits for what must happen.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    within("what must happen", what).await
}

fn words(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.label().as_str().to_owned()).collect()
}

/// Whether it is one of a job that waits.
fn is_pending(state: &StateLabel) -> bool {
    *state == StateLabel::Pending
}
