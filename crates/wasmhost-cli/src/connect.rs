//! From the shared flags to a connected client, and the errors on the way there.

use std::env;

use wasmhost_client::{Client, ClientConfig};
use wasmhost_nats::{ConnectConfig, ConnectError, Credentials, check_url};

use crate::cli::Global;
use crate::complaint::{Complaint, chain};
use crate::exit::Exit;

/// Where a server is looked for when nobody says so.
const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

impl Global {
    /// The server's address.
    fn url(&self) -> Result<String, Complaint> {
        if let Some(url) = &self.nats {
            return Ok(url.clone());
        }
        let Some(url) = env::var_os("NATS_URL").filter(|url| !url.is_empty()) else {
            return Ok(DEFAULT_URL.to_owned());
        };
        let read =
            url.into_string().map_err(|_| "it is not UTF-8".to_owned()).and_then(|url| parse_url(&url));
        read.map_err(|why| Complaint::new(Exit::Config, format_args!("NATS_URL: {why}")))
    }

    /// How to connect; all contradictions are named together.
    pub(crate) fn connect_config(&self) -> Result<ConnectConfig, Complaint> {
        let mut problems = Vec::new();
        let credentials = self.credentials(&mut problems);
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            problems.push("--tls-cert and --tls-key (NATS_CERT, NATS_KEY) need each other".to_owned());
        }
        if !problems.is_empty() {
            return Err(Complaint::usage(problems.join("\nerror: ")));
        }
        Ok(ConnectConfig {
            credentials,
            tls_ca: self.tls_ca.clone(),
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            namespace: self.namespace.clone().unwrap_or_default(),
            ..ConnectConfig::new(self.url()?)
        })
    }

    /// A client.
    pub(crate) async fn client(&self) -> Result<Client, Complaint> {
        let config = ClientConfig::over(self.connect_config()?);
        Client::connect(config).await.map_err(|error| refused(&error))
    }

    fn credentials(&self, problems: &mut Vec<String>) -> Credentials {
        let file = self.creds.clone().map(Credentials::CredsFile);
        let nkey = self.nkey.clone().map(Credentials::Nkey);
        let token = self.token.clone().map(Credentials::Token);
        let user = match (self.user.clone(), self.password.clone()) {
            (Some(user), Some(password)) => Some(Credentials::UserPassword { user, password }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                problems.push("--user and --password (NATS_USER, NATS_PASSWORD) need each other".to_owned());
                None
            }
        };
        let mut given = [file, nkey, token, user].into_iter().flatten();
        let first = given.next().unwrap_or_default();
        if given.next().is_some() {
            problems.push(
                "more than one of --creds, --nkey, --token and --user is given, by flag or environment"
                    .to_owned(),
            );
        }
        first
    }
}

/// The address of a server, or of several.
pub(crate) fn parse_url(text: &str) -> Result<String, String> {
    check_url(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// Why there is no connection, with the mend.
pub(crate) fn refused(error: &ConnectError) -> Complaint {
    let (exit, mend) = match error {
        ConnectError::Credentials { .. } => (Exit::NotFound, "check --creds and --nkey"),
        ConnectError::Certificate { .. } => (Exit::NotFound, "check --tls-ca, --tls-cert and --tls-key"),
        ConnectError::HalfCertificate => (Exit::Usage, "give both --tls-cert and --tls-key"),
        ConnectError::Address(_) => (Exit::Config, "check --nats, WASMHOST_NATS and NATS_URL"),
        ConnectError::NoTls { .. } => {
            (Exit::Config, "enable TLS on the server, or leave --tls-ca and --tls-cert out")
        }
        ConnectError::Untrusted { .. } => (
            Exit::Config,
            "name the authority that signed it with --tls-ca, and the server as its certificate does",
        ),
        ConnectError::NoCertificate { .. } => {
            (Exit::Denied, "give one that it trusts: --tls-cert and --tls-key")
        }
        ConnectError::Denied { .. } => (Exit::Denied, "check --creds, --nkey, --token or --user"),
        ConnectError::TooOld { .. } => (Exit::Config, "upgrade the server"),
        _ => {
            (Exit::Unreachable, "start a server (`wasmhost dev`), or say where it is with --nats or NATS_URL")
        }
    };
    Complaint::new(exit, format_args!("{}; {mend}", without_passwords(&chain(error))))
}

/// The text without what stands between `//` and `@`: a URL may carry a password.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("//") {
        shown.push_str(before);
        shown.push_str("//");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | ',')).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn config(line: &str) -> Result<ConnectConfig, Complaint> {
        Cli::try_parse_from(line.split(' ')).unwrap().global.connect_config()
    }

    #[test]
    fn flags_become_a_connection() {
        let config =
            config("wasmhost hosts --nats nats://n:1 --namespace team-2 --user a --password b").unwrap();
        assert_eq!((config.url.as_str(), config.namespace.as_str()), ("nats://n:1", "team-2"));
        assert!(matches!(config.credentials, Credentials::UserPassword { .. }));
    }

    #[test]
    fn contradictions_are_named_together() {
        let complaint = config("wasmhost hosts --user a --token t --creds c --tls-key k").unwrap_err();
        assert_eq!(complaint.exit, Exit::Usage);
        assert_eq!(complaint.text.lines().count(), 3, "{}", complaint.text);
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(without_passwords("at nats://u:p@n:1,nats://v:q@m: no"), "at nats://n:1,nats://m: no");
        assert_eq!(without_passwords("at nats://n:1: a@b"), "at nats://n:1: a@b");
    }
}
