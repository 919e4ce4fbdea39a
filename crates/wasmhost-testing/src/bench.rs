//! A server of the test's own, a connection to it, and the streams and buckets of a deployment.

use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, Stream};
use nats_server_child::{Options, Server};
use wasmhost_nats::{ConnectConfig, Connection, Credentials, LayoutConfig, ensure_layout};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::StoredEntry;

use crate::server::start_server;
use crate::wait::within;

/// A server, a connection to it, and what another program than wasmhost has: a plain client of NATS.
#[derive(Debug)]
pub struct Bench {
    /// The connection.
    pub connection: Connection,
    /// The plain client.
    pub nats: async_nats::Client,
    /// The plain client's JetStream.
    pub jetstream: jetstream::Context,
    /// How it was made, for further ones.
    pub config: ConnectConfig,
    /// The server, which ends with this value.
    pub server: Server,
}

impl Bench {
    /// A server with the streams and buckets of a deployment.
    pub async fn new() -> Self {
        Self::new_as(&Options::default(), Credentials::None).await
    }

    /// The same on a server with options of its own, as this user.
    pub async fn new_as(options: &Options, credentials: Credentials) -> Self {
        let bench = Self::bare_as(options, credentials).await;
        bench.set_up().await;
        bench
    }

    /// A server without streams and buckets.
    pub async fn bare(options: &Options) -> Self {
        Self::bare_as(options, Credentials::None).await
    }

    /// The same as this user.
    pub async fn bare_as(options: &Options, credentials: Credentials) -> Self {
        let server = start_server(options);
        let nats = plain_client(&server, &credentials).await;
        let jetstream = jetstream::new(nats.clone());
        let mut config = ConnectConfig::new(server.url());
        config.credentials = credentials;
        let connection = Connection::open(&config).await.expect("a connection to a server that listens");
        Self { connection, nats, jetstream, config, server }
    }

    /// Makes the streams and buckets, or compares those that are there.
    pub async fn set_up(&self) {
        ensure_layout(&self.connection, &LayoutConfig::default())
            .await
            .expect("a deployment on an empty server");
    }

    /// One of the deployment's streams.
    pub async fn stream(&self, name: String) -> Stream {
        self.jetstream.get_stream(name).await.expect("a stream of the deployment")
    }

    /// How many messages a stream holds.
    pub async fn messages(&self, stream: String) -> u64 {
        self.stream(stream).await.cached_info().state.messages
    }

    /// Changes the configuration of a stream.
    pub async fn edit_stream(&self, name: String, change: impl FnOnce(&mut Config)) {
        let mut config = self.stream(name).await.cached_info().config.clone();
        change(&mut config);
        self.jetstream.update_stream(config).await.expect("a change that the server takes");
    }

    /// Waits for the revision of the marker that the server writes when the record at `revision` expires.
    pub async fn marker(&self, key: &JobKey, revision: u64) -> u64 {
        let records = wasmhost_nats::Records::new(&self.connection);
        let expired = async {
            // Each read is a round trip to the server, so that the loop needs no pause.
            loop {
                match records.read(key).await.expect("an answer of the server") {
                    StoredEntry::Deleted(marker) => return marker.revision,
                    stored => assert_eq!(stored.expected(), revision, "the record of {key} has changed"),
                }
            }
        };
        within("the end of a record's time to live", expired).await
    }

    /// Returns when the server has handled what the plain client sent before.
    pub async fn round_trip(&self) {
        // The client's own `flush` is no round trip.
        self.jetstream.query_account().await.expect("an answer of the server");
    }
}

async fn plain_client(server: &Server, credentials: &Credentials) -> async_nats::Client {
    let options = match credentials {
        Credentials::UserPassword { user, password } => {
            async_nats::ConnectOptions::with_user_and_password(user.clone(), password.clone())
        }
        _ => async_nats::ConnectOptions::new(),
    };
    options.connect(server.url()).await.expect("a client of a server that listens")
}

/// The credentials of a user with a password.
#[must_use]
pub fn user(user: &str, password: &str) -> Credentials {
    Credentials::UserPassword { user: user.to_owned(), password: password.to_owned() }
}
