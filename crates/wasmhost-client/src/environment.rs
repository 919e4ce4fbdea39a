//! The client's configuration from environment variables, for programs that have no configuration of their own.

use wasmhost_nats::check_url;
use wasmhost_protocol::names::Namespace;

use crate::config::ClientConfig;
use crate::sign_in::{Contradiction, DEFAULT_URL, SignInSettings};

/// Environment variables that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment cannot be used: {}", problems.join("; "))]
#[non_exhaustive]
pub struct ConfigError {
    /// All problems, one phrase each, with the name of the variable.
    pub problems: Vec<String>,
}

impl ClientConfig {
    /// Reads the process's environment; see [`Self::from_lookup`].
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door to the environment for programs without a command line"
    )]
    pub fn from_env() -> Result<Self, ConfigError> {
        // A value that is not UTF-8 counts as unset, as names, addresses and secrets are all UTF-8.
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads `NATS_URL`, one of `NATS_CREDS`, `NATS_NKEY`, `NATS_JWT` with `NATS_SEED`, `NATS_TOKEN` and `NATS_USER` with
    /// `NATS_PASSWORD` (without it the user is a token), `NATS_CA`, `NATS_CERT` with `NATS_KEY`, and `WASMHOST_NAMESPACE`, as
    /// `lookup` gives them. A variable that is empty counts as unset.
    ///
    /// # Errors
    ///
    /// All values that cannot be used and all contradictions between them.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let mut problems = Vec::new();
        let namespace = lookup("WASMHOST_NAMESPACE").map_or(Ok(Namespace::default()), |text| {
            Namespace::parse(&text).map_err(|error| problems.push(format!("WASMHOST_NAMESPACE: {error}")))
        });
        let url = lookup("NATS_URL").unwrap_or_else(|| DEFAULT_URL.to_owned());
        if let Err(error) = check_url(&url) {
            problems.push(format!("NATS_URL: {error}"));
        }
        let connect = sign_in(lookup).into_config(url).map_err(|contradictions| {
            problems.extend(contradictions.into_iter().map(|it| phrase(it).to_owned()));
        });
        match (connect, namespace) {
            (Ok(mut connect), Ok(namespace)) if problems.is_empty() => {
                connect.namespace = namespace;
                Ok(Self::with_connect_config(connect))
            }
            _ => Err(ConfigError { problems }),
        }
    }
}

fn sign_in(lookup: impl Fn(&str) -> Option<String>) -> SignInSettings {
    SignInSettings {
        creds: lookup("NATS_CREDS").map(Into::into),
        nkey: lookup("NATS_NKEY").map(Into::into),
        jwt: lookup("NATS_JWT"),
        seed: lookup("NATS_SEED"),
        token: lookup("NATS_TOKEN"),
        user: lookup("NATS_USER"),
        password: lookup("NATS_PASSWORD"),
        tls_ca: lookup("NATS_CA").map(Into::into),
        tls_cert: lookup("NATS_CERT").map(Into::into),
        tls_key: lookup("NATS_KEY").map(Into::into),
    }
}

fn phrase(contradiction: Contradiction) -> &'static str {
    match contradiction {
        Contradiction::HalfJwt => "NATS_JWT and NATS_SEED need each other",
        Contradiction::PasswordWithoutUser => "NATS_PASSWORD needs NATS_USER",
        Contradiction::SeveralWays => {
            "more than one of NATS_CREDS, NATS_NKEY, NATS_JWT, NATS_TOKEN and NATS_USER is set"
        }
        Contradiction::HalfCertificate => "NATS_CERT and NATS_KEY need each other",
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_nats::Credentials;

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
