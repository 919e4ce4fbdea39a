//! Signing in with the credentials that are configured, in the form that each of the two clients takes.

use std::io;
use std::path::Path;

use async_nats::ConnectOptions;
use nats_wire::Auth;

use crate::connect::error::ConnectError;
use crate::credentials::Credentials;

impl Credentials {
    /// Reads the files that are named, and signs with what they hold, so that a mistake is reported before any server is asked.
    pub(crate) async fn check(&self) -> Result<(), ConnectError> {
        self.auth().check().await.map_err(|source| self.unusable(source))
    }

    /// Connect options for the client that extends leases and writes records.
    pub(crate) async fn sign_in(self) -> Result<ConnectOptions, ConnectError> {
        let options = ConnectOptions::new();
        Ok(match &self {
            Self::None => options,
            Self::CredsFile(path) => {
                let text = read(path).await.map_err(|source| self.unusable(source))?;
                options.credentials(&text).map_err(|source| self.unusable(source))?
            }
            Self::Nkey(path) => {
                let seed = read(path).await.map_err(|source| self.unusable(source))?;
                options.nkey(seed.trim().to_owned())
            }
            Self::NkeySeed(seed) => options.nkey(seed.trim().to_owned()),
            Self::Jwt { jwt, seed } => {
                let text = creds_file(jwt.trim(), seed.trim());
                options.credentials(&text).map_err(|source| self.unusable(source))?
            }
            Self::Token(token) => options.token(token.clone()),
            Self::UserPassword { user, password } => {
                options.user_and_password(user.clone(), password.clone())
            }
        })
    }

    /// The same credentials for the client of the edge connection.
    pub(crate) fn auth(&self) -> Auth {
        match self {
            Self::None => Auth::None,
            Self::CredsFile(path) => Auth::CredsFile(path.clone()),
            Self::Nkey(path) => Auth::NkeyFile(path.clone()),
            Self::NkeySeed(seed) => Auth::NkeySeed(seed.clone()),
            Self::Jwt { jwt, seed } => Auth::Jwt { jwt: jwt.clone(), seed: seed.clone() },
            Self::Token(token) => Auth::Token(token.clone()),
            Self::UserPassword { user, password } => {
                Auth::UserPassword { user: user.clone(), password: password.clone() }
            }
        }
    }

    fn unusable(&self, source: io::Error) -> ConnectError {
        match self {
            Self::CredsFile(path) | Self::Nkey(path) => {
                ConnectError::Credentials { path: path.clone(), source }
            }
            Self::None
            | Self::NkeySeed(_)
            | Self::Jwt { .. }
            | Self::Token(_)
            | Self::UserPassword { .. } => ConnectError::Seed { source },
        }
    }
}

async fn read(path: &Path) -> io::Result<String> {
    tokio::fs::read_to_string(path).await
}

/// A file with a JWT and its key as `nsc` writes it, since async-nats takes the two in no other form.
fn creds_file(jwt: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}
