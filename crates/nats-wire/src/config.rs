//! The configuration of a client.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::address::{Address, InvalidAddress};
use crate::auth::Auth;

/// How a connection is encrypted. The default encrypts it only where the server or its address asks for it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Tls {
    /// Whether the connection must be encrypted even where neither the server nor its address asks for it.
    pub required: bool,
    /// A file with the certificates of the authorities to trust, in place of those of the system.
    pub ca: Option<PathBuf>,
    /// The files of the client's certificate and of its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether the handshake comes before the server's first line, as for a server with `handshake_first`.
    pub first: bool,
}

impl Tls {
    /// Encrypts the connection even where neither the server nor its address asks for it.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Trusts the authorities in this file, in place of those of the system.
    #[must_use]
    pub fn ca(self, file: impl Into<PathBuf>) -> Self {
        Self { ca: Some(file.into()), ..self }
    }

    /// Shows the certificate in the first file, whose key is in the second.
    #[must_use]
    pub fn identity(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { identity: Some((certificate.into(), key.into())), ..self }
    }
}

/// Something that happened to the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The client is connected, for the first time or again.
    Connected,
    /// The connection broke, for this reason. The client is reconnecting.
    Disconnected(String),
    /// An attempt to reconnect failed, for this reason. Further ones follow.
    NotYet(String),
    /// The server reported an error, such as a denied permission.
    ServerError(String),
    /// A subscription had no room for messages, which were dropped.
    Dropped {
        /// The subject of the subscription.
        subject: String,
        /// How many messages were dropped since the last notice about this subscription.
        count: u64,
    },
}

/// A function that is called with every notice. It runs on the connection's task and must not block.
pub type Observer = Arc<dyn Fn(Notice) + Send + Sync>;

/// The configuration of a client.
///
/// ```
/// use nats_wire::{Auth, Config};
///
/// let servers = ["nats://one:4222", "nats://two:4222"];
/// let config = Config::new(servers)?.auth(Auth::Token("secret".to_owned()));
/// assert_eq!(config.servers.len(), 2);
/// # Ok::<(), nats_wire::InvalidAddress>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The addresses of servers. Servers that a cluster announces are tried after them.
    pub servers: Vec<Address>,
    /// The credentials.
    pub auth: Auth,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// The name of the connection, which the server's monitoring shows.
    pub name: String,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How often the server is pinged. The connection ends when nothing comes after two pings in a row.
    pub ping_interval: Duration,
    /// How long to wait before each attempt to reconnect. Where it is none, the wait starts at 20 ms and doubles up to two
    /// seconds, with jitter.
    pub reconnect_delay: Option<Duration>,
    /// The first token of inboxes.
    pub inbox_prefix: String,
    /// A function that is called with every notice.
    pub observer: Option<Observer>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("servers", &self.servers)
            .field("auth", &self.auth)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// A configuration for these servers with the defaults: no credentials, five seconds for an attempt to connect, and a
    /// ping every ten seconds.
    ///
    /// # Errors
    ///
    /// One of them is not an address.
    pub fn new<'a>(servers: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidAddress> {
        Ok(Self {
            servers: servers.into_iter().map(Address::parse).collect::<Result<_, _>>()?,
            auth: Auth::None,
            tls: Tls::default(),
            name: "nats-wire".to_owned(),
            connect_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
            reconnect_delay: None,
            inbox_prefix: "_INBOX".to_owned(),
            observer: None,
        })
    }

    /// Signs in with these credentials.
    #[must_use]
    pub fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// Encrypts the connection like this.
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// Lets an attempt to connect take this long.
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Pings the server this often.
    #[must_use]
    pub fn ping_interval(self, ping_interval: Duration) -> Self {
        Self { ping_interval, ..self }
    }

    /// Calls a function with every notice. It runs on the connection's task and must not block.
    #[must_use]
    pub fn observer(self, observer: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    /// The addresses to try: those of the configuration, followed by those that a cluster announces. A server that is no longer
    /// announced is not among them.
    #[must_use]
    pub fn servers_with(&self, announced: &[String]) -> Vec<Address> {
        // Servers announce addresses without a scheme. Where one that is named asks for encryption, those that are
        // announced are not connected to in the open.
        let tls = self.servers.iter().any(|server| server.tls);
        let mut servers = self.servers.clone();
        for address in announced.iter().filter_map(|url| Address::parse(url).ok()) {
            let known = |server: &Address| server.host == address.host && server.port == address.port;
            if !servers.iter().any(known) {
                servers.push(Address { tls, ..address });
            }
        }
        servers
    }

    /// Whether the connection must be encrypted, whatever the server says.
    pub(crate) fn asks_for_tls(&self, address: &Address) -> bool {
        self.tls.required || self.tls.first || address.tls
    }

    /// Passes a notice to the observer.
    pub(crate) fn notify(&self, notice: Notice) {
        if let Some(observer) = &self.observer {
            observer(notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_named_stay_and_those_that_left_the_cluster_go() {
        let config = Config::new(["tls://n:1", "tls://10.0.0.2:2"]).unwrap();
        let known = |announced: &[&str]| {
            let announced: Vec<_> = announced.iter().map(ToString::to_string).collect();
            config.servers_with(&announced).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let both = ["tls://n:1", "tls://10.0.0.2:2"];
        assert_eq!(
            known(&["10.0.0.2:2", "10.0.0.3:2", "ws://n"]),
            [&both[..], &["tls://10.0.0.3:2"]].concat()
        );
        assert_eq!(
            known(&["10.0.0.4:2", "[::1]:2"]),
            [&both[..], &["tls://10.0.0.4:2", "tls://[::1]:2"]].concat()
        );
    }
}
