//! Where the server is and how to sign in. Reads the environment only through a look-up that the caller gives, or
//! through `from_env`, for programs that have no configuration of their own.

use std::path::PathBuf;
use std::time::Duration;

use wasmhost_nats::{ConnectConfig, Credentials, check_url};
use wasmhost_protocol::names::Namespace;

/// How long after its PENDING a job may still be published; half of the reconciler's grace (R1, R13).
pub const PUBLISH_WITHIN: Duration = Duration::from_secs(30);

/// Where a server listens that nobody configured.
const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The connection.
    pub connect: ConnectConfig,
    /// How long after its PENDING a job may still be published. Hosts that reconcile sooner than after 60 s need half
    /// of theirs here.
    pub publish_within: Duration,
}

/// Environment variables that cannot be used, all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment cannot be used: {}", problems.join("; "))]
#[non_exhaustive]
pub struct ConfigError {
    /// One phrase each, with the variable's name.
    pub problems: Vec<String>,
}

impl ClientConfig {
    /// The server at `url`, without credentials, in the default namespace.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self::over(ConnectConfig::new(url))
    }

    /// A client over this connection's configuration.
    #[must_use]
    pub fn over(connect: ConnectConfig) -> Self {
        Self { connect, publish_within: PUBLISH_WITHIN }
    }

    /// Reads the process's environment; see [`Self::from_lookup`].
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door to the environment for programs without a command line"
    )]
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads `NATS_URL`, one of `NATS_CREDS`, `NATS_NKEY`, `NATS_JWT` with `NATS_SEED`, `NATS_TOKEN` and `NATS_USER` with
    /// `NATS_PASSWORD` (alone it is a token), `NATS_CA`, `NATS_CERT` with `NATS_KEY`, and `WASMHOST_NAMESPACE`, as `lookup`
    /// gives them; empty is as good as unset.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let path = |name: &str| lookup(name).map(PathBuf::from);
        let mut problems = Vec::new();
        let mut connect = ConnectConfig::new(lookup("NATS_URL").unwrap_or_else(|| DEFAULT_URL.to_owned()));
        if let Some(text) = lookup("WASMHOST_NAMESPACE") {
            match Namespace::parse(&text) {
                Ok(namespace) => connect.namespace = namespace,
                Err(error) => problems.push(format!("WASMHOST_NAMESPACE: {error}")),
            }
        }
        if let Err(error) = check_url(&connect.url) {
            problems.push(format!("NATS_URL: {error}"));
        }
        match credentials(&lookup) {
            Ok(credentials) => connect.credentials = credentials,
            Err(problem) => problems.push(problem),
        }
        connect.tls_ca = path("NATS_CA");
        connect.tls_cert = path("NATS_CERT");
        connect.tls_key = path("NATS_KEY");
        if connect.tls_cert.is_some() != connect.tls_key.is_some() {
            problems.push("NATS_CERT and NATS_KEY need each other".to_owned());
        }
        if problems.is_empty() { Ok(Self::over(connect)) } else { Err(ConfigError { problems }) }
    }
}

fn credentials(lookup: &impl Fn(&str) -> Option<String>) -> Result<Credentials, String> {
    let file = lookup("NATS_CREDS").map(|path| Credentials::CredsFile(path.into()));
    let nkey = lookup("NATS_NKEY").map(|path| Credentials::Nkey(path.into()));
    let jwt = match (lookup("NATS_JWT"), lookup("NATS_SEED")) {
        (Some(jwt), Some(seed)) => Some(Credentials::Jwt { jwt, seed }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err("NATS_JWT and NATS_SEED need each other".to_owned()),
    };
    let token = lookup("NATS_TOKEN").map(Credentials::Token);
    let user = match (lookup("NATS_USER"), lookup("NATS_PASSWORD")) {
        (Some(user), Some(password)) => Some(Credentials::UserPassword { user, password }),
        (Some(token), None) => Some(Credentials::Token(token)),
        (None, None) => None,
        (None, Some(_)) => return Err("NATS_PASSWORD needs NATS_USER".to_owned()),
    };
    let mut given = [file, nkey, jwt, token, user].into_iter().flatten();
    match (given.next(), given.next()) {
        (_, Some(_)) => {
            Err("more than one of NATS_CREDS, NATS_NKEY, NATS_JWT, NATS_TOKEN and NATS_USER is set"
                .to_owned())
        }
        (one, None) => Ok(one.unwrap_or(Credentials::None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<ClientConfig, ConfigError> {
        ClientConfig::from_lookup(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_is_read() {
        let config =
            read(&[("NATS_URL", "nats://n:1"), ("WASMHOST_NAMESPACE", "team-2"), ("NATS_TOKEN", "")])
                .unwrap();
        assert_eq!(config.connect.url, "nats://n:1");
        assert_eq!(config.connect.namespace.as_str(), "team-2");
        assert!(matches!(config.connect.credentials, Credentials::None));
    }

    #[test]
    fn all_problems_are_listed_together() {
        let error = read(&[
            ("WASMHOST_NAMESPACE", "a.b"),
            ("NATS_CREDS", "/x"),
            ("NATS_TOKEN", "t"),
            ("NATS_CERT", "/c"),
            ("NATS_URL", "http://n:4222"),
        ])
        .unwrap_err();
        assert_eq!(error.problems.len(), 4, "{error}");
    }
}
