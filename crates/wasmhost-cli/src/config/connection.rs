//! From the shared flags to a connected client, and the errors on the way there.

use std::env;
use std::io::ErrorKind;

use wasmhost_client::{Client, ClientConfig};
use wasmhost_nats::{ConnectConfig, ConnectError, Credentials, check_url};

use crate::cli::Global;
use crate::config::context::Context;
use crate::config::secret;
use crate::error::Exit;
use crate::error::{CliError, chain};

/// Where a server is looked for when nobody says so.
const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

impl Global {
    /// The server's address, where a flag or a variable says it.
    fn url(&self) -> Result<Option<String>, CliError> {
        if let Some(url) = &self.nats {
            return Ok(Some(url.clone()));
        }
        let Some(url) = env::var_os("NATS_URL").filter(|url| !url.is_empty()) else { return Ok(None) };
        let read =
            url.into_string().map_err(|_| "it is not UTF-8".to_owned()).and_then(|url| parse_url(&url));
        read.map(Some).map_err(|why| CliError::new(Exit::Config, format_args!("NATS_URL: {why}")))
    }

    /// How to connect; all contradictions are named together.
    pub(crate) fn connect_config(&self) -> Result<ConnectConfig, CliError> {
        let mut problems = Vec::new();
        let given = self.credentials(&mut problems);
        let [tls_ca, tls_cert, tls_key] = [&self.tls_ca, &self.tls_cert, &self.tls_key].map(|file| {
            let file = file.as_deref().map(secret::path).transpose();
            file.unwrap_or_else(|why| {
                problems.push(why);
                None
            })
        });
        let context = self.context.as_deref().map(Context::load).transpose()?.unwrap_or_default();
        let [ca, cert, key] = context.tls()?;
        let (tls_cert, tls_key) = (tls_cert.or(cert), tls_key.or(key));
        if tls_cert.is_some() != tls_key.is_some() {
            problems.push("--tls-cert and --tls-key (NATS_CERT, NATS_KEY) need each other".to_owned());
        }
        if !problems.is_empty() {
            return Err(CliError::usage(problems.join("\nerror: ")));
        }
        let credentials = match given {
            Credentials::None => context.credentials()?,
            given => given,
        };
        let here = || if context.url.is_empty() { DEFAULT_URL.to_owned() } else { context.url.clone() };
        let mut config = ConnectConfig::new(self.url()?.unwrap_or_else(here));
        config.credentials = credentials;
        config.tls_ca = tls_ca.or(ca);
        config.tls_cert = tls_cert;
        config.tls_key = tls_key;
        config.tls_first = self.tls_first || context.tls_first;
        config.namespace = self.namespace.clone().unwrap_or_default();
        Ok(config)
    }

    /// A client.
    pub(crate) async fn client(&self) -> Result<Client, CliError> {
        let config = ClientConfig::over(self.connect_config()?);
        Client::connect(config).await.map_err(|error| refused(&error))
    }

    fn credentials(&self, problems: &mut Vec<String>) -> Credentials {
        let mut kept = |read: Result<Credentials, String>| read.map_err(|why| problems.push(why)).ok();
        let file = self.creds.as_deref().and_then(|path| {
            kept(
                secret::path(path)
                    .map(Credentials::CredsFile)
                    .map_err(|why| format!("--creds (NATS_CREDS): {why}")),
            )
        });
        let nkey = self.nkey.as_deref().and_then(|path| {
            kept(
                secret::path(path).map(Credentials::Nkey).map_err(|why| format!("--nkey (NATS_NKEY): {why}")),
            )
        });
        let jwt = match (&self.jwt, &self.seed) {
            (Some(jwt), Some(seed)) => kept(signed(jwt, seed)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                kept(Err("--jwt and --seed (NATS_JWT, NATS_SEED) need each other".to_owned()))
            }
        };
        let token = self.token.as_deref().and_then(|token| kept(as_token(token, "--token (NATS_TOKEN)")));
        let user = match (&self.user, self.password.as_deref()) {
            (Some(user), Some(password)) => kept(with_password(user, password)),
            // As the `nats` command line has it.
            (Some(user), None) => kept(as_token(user, "--user (NATS_USER)")),
            (None, None) => None,
            (None, Some(_)) => kept(Err("--password (NATS_PASSWORD) needs --user (NATS_USER)".to_owned())),
        };
        let mut given = [file, nkey, jwt, token, user].into_iter().flatten();
        let first = given.next().unwrap_or_default();
        if given.next().is_some() {
            problems.push(
                "more than one of --creds, --nkey, --jwt, --token and --user is given, by flag or environment"
                    .to_owned(),
            );
        }
        first
    }
}

fn signed(jwt: &str, seed: &str) -> Result<Credentials, String> {
    let read = |text, flag| secret::text(text).map_err(|why| format!("{flag}: {why}"));
    Ok(Credentials::Jwt { jwt: read(jwt, "--jwt (NATS_JWT)")?, seed: read(seed, "--seed (NATS_SEED)")? })
}

fn as_token(text: &str, flag: &str) -> Result<Credentials, String> {
    secret::text(text).map(Credentials::Token).map_err(|why| format!("{flag}: {why}"))
}

fn with_password(user: &str, password: &str) -> Result<Credentials, String> {
    let password = secret::text(password).map_err(|why| format!("--password (NATS_PASSWORD): {why}"))?;
    Ok(Credentials::UserPassword { user: user.to_owned(), password })
}

/// The address of a server, or of several.
pub(crate) fn parse_url(text: &str) -> Result<String, String> {
    check_url(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// Why there is no connection, with the fix.
pub(crate) fn refused(error: &ConnectError) -> CliError {
    let (exit, fix) = match error {
        ConnectError::Credentials { source, .. } => {
            (file(source), "check --creds (NATS_CREDS) and --nkey (NATS_NKEY)")
        }
        ConnectError::Seed { .. } => (Exit::Config, "check --seed (NATS_SEED)"),
        ConnectError::Certificate { source } => {
            (file(source), "check --tls-ca (NATS_CA), --tls-cert (NATS_CERT) and --tls-key (NATS_KEY)")
        }
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
        ConnectError::Denied { .. } => {
            (Exit::Denied, "check --creds, --nkey, --jwt, --token or --user, and what the address says")
        }
        ConnectError::TooOld { .. } => (Exit::Config, "upgrade the server"),
        _ => {
            (Exit::Unreachable, "start a server (`wasmhost dev`), or say where it is with --nats or NATS_URL")
        }
    };
    CliError::new(exit, format_args!("{}; {fix}", without_passwords(&chain(error))))
}

/// What it means that a file cannot be used.
fn file(error: &std::io::Error) -> Exit {
    match error.kind() {
        ErrorKind::NotFound => Exit::NotFound,
        ErrorKind::PermissionDenied => Exit::Denied,
        _ => Exit::BadFile,
    }
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

    fn config(line: &str) -> Result<ConnectConfig, CliError> {
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
    fn a_user_without_a_password_is_a_token() {
        let config = config("wasmhost hosts --server n --user t").unwrap();
        assert!(matches!(config.credentials, Credentials::Token(token) if token == "t"));
    }

    #[test]
    fn contradictions_are_named_together() {
        let cli_error =
            config("wasmhost hosts --password a --token t --creds c --tls-key k --seed s").unwrap_err();
        assert_eq!(cli_error.exit, Exit::Usage);
        assert_eq!(cli_error.text.lines().count(), 4, "{}", cli_error.text);
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(without_passwords("at nats://u:p@n:1,nats://v:q@m: no"), "at nats://n:1,nats://m: no");
        assert_eq!(without_passwords("at nats://n:1: a@b"), "at nats://n:1: a@b");
    }
}
