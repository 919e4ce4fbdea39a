//! The fields of `CONNECT` that credentials become: a token, a user with a password, or a signature of the server's nonce.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde::Serialize;

use crate::auth::Auth;

impl Auth {
    /// Reads the files that are named and signs with the key, as a connect would.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or has no credentials of this kind in it.
    pub async fn check(&self) -> io::Result<()> {
        // Any text does for a nonce: that it can be signed shows that the seed is one.
        identity(self, "").await.map(drop)
    }
}

/// The fields of `CONNECT` for credentials.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Identity {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nkey: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sig: Option<String>,
}

/// The fields for these credentials, with the server's `nonce` signed where they are a key.
pub(crate) async fn identity(auth: &Auth, nonce: &str) -> io::Result<Identity> {
    Ok(match auth {
        Auth::None => Identity::default(),
        Auth::Token(token) => Identity { auth_token: Some(token.clone()), ..Identity::default() },
        Auth::UserPassword { user, password } => {
            Identity { user: Some(user.clone()), pass: Some(password.clone()), ..Identity::default() }
        }
        Auth::NkeySeed(seed) => of_nkey(seed.trim(), nonce)?,
        Auth::NkeyFile(path) => of_nkey(read(path).await?.trim(), nonce)?,
        Auth::CredsFile(path) => {
            let text = read(path).await?;
            let (jwt, seed) = jwt_and_seed(&text).ok_or_else(|| invalid("no JWT with its key".to_owned()))?;
            of_jwt(jwt, seed, nonce)?
        }
        Auth::Jwt { jwt, seed } => of_jwt(jwt.trim(), seed.trim(), nonce)?,
    })
}

fn of_jwt(jwt: &str, seed: &str, nonce: &str) -> io::Result<Identity> {
    // The public key is not sent: it is the subject of the JWT.
    let (_, sig) = sign(seed, nonce)?;
    Ok(Identity { jwt: Some(jwt.to_owned()), sig: Some(sig), ..Identity::default() })
}

fn of_nkey(seed: &str, nonce: &str) -> io::Result<Identity> {
    let (public, sig) = sign(seed, nonce)?;
    Ok(Identity { nkey: Some(public), sig: Some(sig), ..Identity::default() })
}

fn sign(seed: &str, nonce: &str) -> io::Result<(String, String)> {
    let pair = KeyPair::from_seed(seed).map_err(|error| invalid(format!("no seed of an nkey: {error}")))?;
    let signature = pair.sign(nonce.as_bytes()).map_err(|error| invalid(error.to_string()))?;
    Ok((pair.public_key(), URL_SAFE_NO_PAD.encode(signature)))
}

/// The JWT and the seed: each is the first line after its decorated title.
fn jwt_and_seed(text: &str) -> Option<(&str, &str)> {
    let behind = |title: &str| {
        let begins = |line: &&str| line.starts_with("-----BEGIN") && line.contains(title);
        text.lines().map(str::trim).skip_while(|line| !begins(line)).skip(1).find(|line| !line.is_empty())
    };
    Some((behind("JWT")?, behind("SEED")?))
}

async fn read(path: &Path) -> io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creds_file_is_read() {
        let text = "-----BEGIN NATS USER JWT-----\r\neyJ0\r\n------END NATS USER JWT------\r\n\r\n*** IMPORTANT ***\n\
            -----BEGIN USER NKEY SEED-----\nSUAX\n------END USER NKEY SEED------\n";
        assert_eq!(jwt_and_seed(text), Some(("eyJ0", "SUAX")));
        assert_eq!(jwt_and_seed("SUAX"), None);
    }

    #[test]
    fn a_nonce_is_signed_with_the_seed() {
        let pair = KeyPair::new_user();
        let (public, signature) = sign(&pair.seed().unwrap(), "nonce").unwrap();
        assert_eq!(public, pair.public_key());
        pair.verify(b"nonce", &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }
}
