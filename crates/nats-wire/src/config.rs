//! Where to connect, as whom, and how patiently.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::address::{Address, InvalidAddress};
use crate::credentials::identity;

/// Who connects.
#[derive(Clone, Default)]
pub enum Auth {
    /// Nobody in particular.
    #[default]
    None,
    /// A token.
    Token(String),
    /// A user and a password.
    UserPassword {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// The seed of an nkey.
    NkeySeed(String),
    /// A file with the seed of an nkey, read at each connect.
    NkeyFile(PathBuf),
    /// A file with a JWT and its key, as `nsc` writes it, read at each connect.
    CredsFile(PathBuf),
    /// A JWT and the seed of its key.
    Jwt {
        /// The JWT.
        jwt: String,
        /// The seed.
        seed: String,
    },
}

impl Auth {
    /// Reads what it names and signs with it, as a connect would.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read, or holds something else.
    pub async fn check(&self) -> io::Result<()> {
        identity(self, "").await.map(drop)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(..)",
            Self::UserPassword { .. } => "UserPassword(..)",
            Self::NkeySeed(_) => "NkeySeed(..)",
            Self::NkeyFile(_) => "NkeyFile(..)",
            Self::CredsFile(_) => "CredsFile(..)",
            Self::Jwt { .. } => "Jwt(..)",
        })
    }
}

/// How the connection is encrypted, where it is.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Whether it must be, even where neither server nor address asks for it.
    pub required: bool,
    /// Certificates of authorities to trust, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The client's certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether the server waits for encryption before its first word.
    pub first: bool,
}

/// What happened to the connection, for whoever wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// It stands, for the first time or again.
    Connected,
    /// It broke, for this reason; it is being made anew.
    Disconnected(String),
    /// It could not be made anew yet, for this reason.
    NotYet(String),
    /// The server reported an error, such as a denied permission.
    ServerError(String),
    /// A subscription had no room for messages, and so many of them were dropped since the last word on it.
    Dropped {
        /// What it listens on.
        subject: String,
        /// How many.
        count: u64,
    },
}

/// Told of every notice; it must not block.
pub type Observer = Arc<dyn Fn(Notice) + Send + Sync>;

/// Where to connect, as whom, and how patiently.
#[derive(Clone)]
pub struct Config {
    /// The servers; each that is discovered from them is tried as well.
    pub servers: Vec<Address>,
    /// Who connects.
    pub auth: Auth,
    /// How it is encrypted.
    pub tls: Tls,
    /// The name of the connection, shown by the server's monitoring.
    pub name: String,
    /// How long one try to connect may take.
    pub connect_timeout: Duration,
    /// How often the server is asked whether it is there; two questions without an answer end the connection.
    pub ping_interval: Duration,
    /// How long to wait before each try to connect again; none: longer each time, up to seconds.
    pub reconnect_delay: Option<Duration>,
    /// What inboxes start with.
    pub inbox_prefix: String,
    /// Told of every notice.
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
    /// A connection to one of `servers` with the defaults: nobody in particular, five seconds, pings every ten.
    ///
    /// # Errors
    ///
    /// Where one of them is no address.
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

    /// The servers that are named, and behind them those that a cluster announces: one that left it is not among them.
    #[must_use]
    pub fn servers_with(&self, announced: &[String]) -> Vec<Address> {
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

    /// Whether it is to be encrypted, whatever the server says.
    pub(crate) fn asks_for_tls(&self, address: &Address) -> bool {
        self.tls.required || self.tls.first || address.tls
    }

    pub(crate) fn tell(&self, notice: Notice) {
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
