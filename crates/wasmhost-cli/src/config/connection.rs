//! The flags that say where NATS is and how to sign in, and the configuration of a connection that follows from them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use wasmhost_client::{Contradiction, DEFAULT_URL, SignInSettings};
use wasmhost_nats::{ConnectConfig, Credentials};
use wasmhost_protocol::names::Namespace;

use super::context::Context;
use super::flag_values::parse_url;
use super::secret::SecretReader;
use crate::error::{CliError, Exit};

/// The flags that say where NATS is and how to sign in.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionFlags {
    /// The NATS server, or several separated by commas [env: also NATS_URL] [default: nats://127.0.0.1:4222]
    #[arg(long = "nats", value_name = "URL", env = "WASMHOST_NATS", value_parser = parse_url, alias = "server", global = true, help_heading = "NATS")]
    pub(crate) nats: Option<String>,
    /// The prefix of all names on the server [default: wasmhost]
    #[arg(long, value_name = "NAME", env = "WASMHOST_NAMESPACE", global = true, help_heading = "NATS")]
    pub(crate) namespace: Option<Namespace>,
    /// A context of the `nats` command line: its name or its file; flags and variables overrule what it says
    #[arg(long, value_name = "NAME", env = "NATS_CONTEXT", global = true, help_heading = "NATS")]
    context: Option<String>,
    /// A file with a JWT and its key
    #[arg(long, value_name = "FILE", env = "NATS_CREDS", global = true, help_heading = "NATS")]
    creds: Option<PathBuf>,
    /// A file with the seed of an nkey
    #[arg(long, value_name = "FILE", env = "NATS_NKEY", global = true, help_heading = "NATS")]
    nkey: Option<PathBuf>,
    /// The JWT of a user, or where it is: file://PATH or env://NAME; with --seed
    #[arg(long, env = "NATS_JWT", hide_env_values = true, global = true, help_heading = "NATS")]
    jwt: Option<String>,
    /// The seed of the JWT's key, or where it is
    #[arg(long, env = "NATS_SEED", hide_env_values = true, global = true, help_heading = "NATS")]
    seed: Option<String>,
    /// A token, or where it is
    #[arg(long, env = "NATS_TOKEN", hide_env_values = true, global = true, help_heading = "NATS")]
    token: Option<String>,
    /// A user, with --password; alone it is a token
    #[arg(long, env = "NATS_USER", global = true, help_heading = "NATS")]
    pub(crate) user: Option<String>,
    /// The user's password, or where it is
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true, global = true, help_heading = "NATS")]
    password: Option<String>,
    /// Certificates of the authorities to trust, in place of the system's; a server without TLS is refused then
    #[arg(long, value_name = "FILE", env = "NATS_CA", alias = "tlsca", global = true, help_heading = "NATS")]
    tls_ca: Option<PathBuf>,
    /// The client's certificate; with --tls-key
    #[arg(
        long,
        value_name = "FILE",
        env = "NATS_CERT",
        alias = "tlscert",
        global = true,
        help_heading = "NATS"
    )]
    tls_cert: Option<PathBuf>,
    /// The key of the client's certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "NATS_KEY",
        alias = "tlskey",
        global = true,
        help_heading = "NATS"
    )]
    tls_key: Option<PathBuf>,
    /// Encrypt before the server's first word, which waits for it
    #[arg(long, alias = "tlsfirst", global = true, help_heading = "NATS")]
    pub(crate) tls_first: bool,
}

/// `NATS_URL`, which counts where neither a flag nor `WASMHOST_NATS` names a server.
pub(crate) fn url_of_environment() -> Option<OsString> {
    env::var_os("NATS_URL").filter(|url| !url.is_empty())
}

impl ConnectionFlags {
    /// Decides how to connect: flags and variables overrule the context, if one is named.
    ///
    /// # Errors
    ///
    /// The context cannot be used, or else all secrets that cannot be read and all flags that contradict each other.
    pub(crate) fn connect_config(&self) -> Result<ConnectConfig, CliError> {
        // The context comes first, since its certificate may complete the key that a flag names.
        let context = self.context.as_deref().map(Context::load).transpose()?.unwrap_or_default();
        let mut secrets = SecretReader::default();
        let mut sign_in = self.sign_in(&mut secrets);
        context.add_certificates(&mut sign_in)?;
        let mut config = checked(sign_in, secrets.problems)?;
        // Whoever signs in by a flag uses nothing of what the context says of it.
        if matches!(config.credentials, Credentials::None) {
            config.credentials = context.credentials()?;
        }
        if let Some(url) = self.url(&context)? {
            config.url = url;
        }
        config.tls_first = self.tls_first || context.tls_first;
        config.namespace = self.namespace.clone().unwrap_or_default();
        Ok(config)
    }

    /// The settings for signing in, with every secret read from where it is.
    fn sign_in(&self, secrets: &mut SecretReader) -> SignInSettings {
        let mut sign_in = SignInSettings::default();
        sign_in.creds = secrets.path(&self.creds, "--creds (NATS_CREDS)");
        sign_in.nkey = secrets.path(&self.nkey, "--nkey (NATS_NKEY)");
        sign_in.jwt = secrets.text(&self.jwt, "--jwt (NATS_JWT)");
        sign_in.seed = secrets.text(&self.seed, "--seed (NATS_SEED)");
        sign_in.token = secrets.text(&self.token, "--token (NATS_TOKEN)");
        sign_in.user = match self.password {
            Some(_) => self.user.clone(),
            // Without a password it is a token, and as secret as one.
            None => secrets.text(&self.user, "--user (NATS_USER)"),
        };
        sign_in.password = secrets.text(&self.password, "--password (NATS_PASSWORD)");
        sign_in.tls_ca = secrets.path(&self.tls_ca, "--tls-ca (NATS_CA)");
        sign_in.tls_cert = secrets.path(&self.tls_cert, "--tls-cert (NATS_CERT)");
        sign_in.tls_key = secrets.path(&self.tls_key, "--tls-key (NATS_KEY)");
        sign_in
    }

    /// The address of the server, where a flag, a variable or the context names one.
    fn url(&self, context: &Context) -> Result<Option<String>, CliError> {
        if let Some(url) = &self.nats {
            return Ok(Some(url.clone()));
        }
        // Not by clap: a command that does not connect, such as `run`, must not fail because of it.
        let Some(url) = url_of_environment() else {
            return Ok(Some(context.url.clone()).filter(|url| !url.is_empty()));
        };
        let read =
            url.into_string().map_err(|_| "it is not UTF-8".to_owned()).and_then(|url| parse_url(&url));
        read.map(Some).map_err(|why| CliError::new(Exit::Config, format_args!("NATS_URL: {why}")))
    }
}

/// The configuration with these settings for signing in, if they fit together and there are no problems.
fn checked(sign_in: SignInSettings, mut problems: Vec<String>) -> Result<ConnectConfig, CliError> {
    match sign_in.into_config(DEFAULT_URL) {
        Ok(config) if problems.is_empty() => return Ok(config),
        Ok(_) => {}
        // They are found although a secret could not be read, so that one run reports both.
        Err(contradictions) => problems.extend(contradictions.into_iter().map(|it| phrase(it).to_owned())),
    }
    Err(CliError::all(Exit::Usage, &problems))
}

fn phrase(contradiction: Contradiction) -> &'static str {
    match contradiction {
        Contradiction::HalfJwt => "--jwt and --seed (NATS_JWT, NATS_SEED) need each other",
        Contradiction::PasswordWithoutUser => "--password (NATS_PASSWORD) needs --user (NATS_USER)",
        Contradiction::SeveralWays => {
            "more than one of --creds, --nkey, --jwt, --token and --user is given, by flag or environment"
        }
        Contradiction::HalfCertificate => "--tls-cert and --tls-key (NATS_CERT, NATS_KEY) need each other",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn config(line: &str) -> Result<ConnectConfig, CliError> {
        Cli::try_parse_from(line.split(' ')).unwrap().global.connection.connect_config()
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
    fn secrets_that_cannot_be_read_are_named_with_the_contradictions() {
        let cli_error = config("wasmhost hosts --jwt op://jwt --seed nsc://seed --nkey env:NKEY --tls-key k")
            .unwrap_err();
        let problems: Vec<_> = cli_error.text.lines().collect();
        let wanted = [
            "--nkey (NATS_NKEY): ",
            "--jwt (NATS_JWT): ",
            "--seed (NATS_SEED): ",
            "more than one",
            "--tls-cert",
        ];
        assert_eq!(problems.len(), wanted.len(), "{problems:?}");
        for (problem, wanted) in problems.iter().zip(wanted) {
            assert!(problem.contains(wanted), "{wanted}: {problem}");
        }
    }
}
